/* SPDX-License-Identifier: MIT
 *
 * The rows of security and permissions. Their probes lie in security_*.c.
 */
#include "check/catalog.h"
#include "check/security.h"

const struct pit_check pit_check_security[] = {
	{
		.id = "security.path-access",
		.title = "Access to data and checkpoints",
		.why = "A job that cannot read its data or write its checkpoint fails at the start or, worse, at the first "
		       "checkpoint. Judged for the user who runs pitcrew; for others ask 'pitcrew explain access'.",
		.area = PIT_AREA_SECURITY,
		.impact = PIT_HURTING,
		.otherwise = PIT_FAIL,
		.probe = pit_probe_path_access,
		.remedy =
			"Open the step of the path that blocks; 'pitcrew explain access USER PATH' shows all of them.",
		.source = "path_resolution(7), acl(5)",
		.refs = "https://man7.org/linux/man-pages/man7/path_resolution.7.html",
	},
	{
		.id = "security.device-nodes",
		.title = "Device nodes of GPUs and RDMA cards",
		.why = "A user who may not open the nodes gets 'no device' from CUDA, ROCm and RDMA libraries although the "
		       "hardware is fine. Usually membership of the group render, video or rdma is missing.",
		.area = PIT_AREA_SECURITY,
		.impact = PIT_HURTING,
		.otherwise = PIT_WARN,
		.probe = pit_probe_device_nodes,
		.remedy =
			"Add the user to the group of the node (then log in again), or set the mode with a udev rule or "
			"NVreg_DeviceFileMode.",
		.source = "DCGM software diagnostics: permissions; AMD ROCm: groups render and video",
		.refs = "https://rocm.docs.amd.com/projects/install-on-linux/en/latest/install/prerequisites.html",
	},
	{
		.id = "security.shared-sgid",
		.title = "SGID on shared directories",
		.why = "Without SGID a new file belongs to the primary group of its maker, and the others of the project "
		       "cannot change it. It shows when a colleague resumes the run.",
		.area = PIT_AREA_SECURITY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_sgid,
		.remedy = "Set SGID on the directories, and a default ACL or umask 002.",
		.source = "chmod(1), inode(7)",
	},
	{
		.id = "security.sticky",
		.title = "Sticky bit on directories open to all",
		.why = "In a directory that everybody may write, everybody may also delete and replace the files of others. "
		       "One cleanup script with a wrong pattern is enough.",
		.area = PIT_AREA_SECURITY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_sticky,
		.remedy = "Set the sticky bit, or close the directory to others.",
		.source = "inode(7)",
	},
	{
		.id = "security.suid-files",
		.title = "SUID programs in project directories",
		.why = "A program with SUID in a directory of users runs with its owner's rights for everybody who can reach "
		       "it. Copies of system trees and installers leave such files behind.",
		.area = PIT_AREA_SECURITY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_suid,
		.remedy = "Remove the bit, and mount file systems of users with nosuid.",
		.source = "lynis FILE-7524; CIS: find SUID files",
	},
	{
		.id = "security.secret-files",
		.title = "Tokens and keys in the home directory",
		.why = "A token that others may read lets them act as you at the model hub, the experiment tracker or the "
		       "cloud. On a shared server every user is such an other.",
		.area = PIT_AREA_SECURITY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_secrets,
		.remedy = "Close the files to others, and replace the tokens if the machine is shared.",
		.source = "ssh(1), kaggle, netrc(5): mode 600",
	},
	{
		.id = "security.ssh-home",
		.title = "Permissions for logging in by SSH key",
		.why = "sshd ignores authorized_keys when others may write it, ~/.ssh or the home directory. Launchers that "
		       "start ranks over SSH then hang at a password prompt.",
		.area = PIT_AREA_SECURITY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_ssh_home,
		.remedy = "Take the write permission from group and others.",
		.source = "sshd_config(5): StrictModes",
	},
	{
		.id = "security.umask",
		.title = "umask",
		.why = "With an umask of 0 everything that a job writes may be changed by everybody. It often comes from a "
		       "container or a service unit.",
		.area = PIT_AREA_SECURITY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_umask,
		.remedy = "Set umask 022, or 002 in projects that share by group.",
		.command = "umask 022",
		.source = "umask(2)",
	},
	{
		.id = "security.tmp-noexec",
		.title = "Programs in /tmp",
		.why = "torch.compile, Triton and C++ extensions build shared objects in the temporary directory and load "
		       "them. With noexec that fails with 'failed to map segment from shared object'.",
		.area = PIT_AREA_SECURITY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_tmp_noexec,
		.remedy =
			"Point TMPDIR, TRITON_CACHE_DIR and TORCHINDUCTOR_CACHE_DIR to a directory of your own on a mount "
			"without noexec.",
		.source = "mount(8): noexec",
	},
	{
		.id = "security.io-uring",
		.title = "io_uring switched off by sysctl",
		.why = "With io_uring switched off fast loaders and checkpoint writers fall back to thread pools. Some "
		       "distributions and hardening guides do so.",
		.area = PIT_AREA_SECURITY,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.probe = pit_probe_io_uring_sysctl,
		.knob = "kernel.io_uring_disabled",
		.remedy =
			"Set kernel.io_uring_disabled=1 and kernel.io_uring_group to the group of the jobs, or 0 where users "
			"are trusted.",
		.source = "Linux: kernel.io_uring_disabled, since 6.6",
		.refs = "https://docs.kernel.org/admin-guide/sysctl/kernel.html",
	},
	{
		.id = "security.mempolicy",
		.title = "NUMA policy calls allowed",
		.why = "A container filter that refuses set_mempolicy and mbind makes every NUMA binding inside it fail or do "
		       "nothing. Memory then lands on whatever node the first thread ran on.",
		.area = PIT_AREA_SECURITY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NODES,
		.probe = pit_probe_mempolicy,
		.remedy =
			"Start the container with --cap-add SYS_NICE, or allow get_mempolicy, set_mempolicy and mbind in its seccomp "
			"profile.",
		.source = "tried: get_mempolicy(); Docker's default seccomp profile",
		.refs = "https://docs.docker.com/engine/security/seccomp/",
	},
	{
		.id = "security.perf",
		.title = "CPU profiling by users",
		.why = "Above 2 users cannot profile even their own processes, so Nsight Systems and perf show no CPU samples. "
		       "It costs when a slow job is to be explained.",
		.area = PIT_AREA_SECURITY,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_GPU,
		.path = "/proc/sys/kernel/perf_event_paranoid",
		.op = PIT_OP_LE,
		.want = "2",
		.absent = "a kernel without perf events",
		.knob = "kernel.perf_event_paranoid",
		.remedy = "Lower kernel.perf_event_paranoid to 2, or 1 for system-wide profiles.",
		.source = "NVIDIA Nsight Systems: 2 or less",
		.refs = "https://docs.nvidia.com/nsight-systems/InstallationGuide/index.html",
	},
	{
		.id = "security.user-namespaces",
		.title = "User namespaces for rootless containers",
		.why = "Enroot, Apptainer and rootless Podman cannot start a container for a user without them. The error "
		       "speaks of permissions or of a missing mount.",
		.area = PIT_AREA_SECURITY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_user_namespaces,
		.knob = "kernel.apparmor_restrict_unprivileged_userns kernel.unprivileged_userns_clone",
		.remedy = "Allow unprivileged user namespaces, or install an AppArmor profile for the runtime.",
		.source = "GKE A3 and soperator images: kernel.apparmor_restrict_unprivileged_userns=0",
	},
	{
		.id = "security.ptrace",
		.title = "Looking into running processes",
		.why = "From 2 on only root may attach to a process, so py-spy and gdb cannot show where a rank hangs. With 1 "
		       "a debugger needs sudo or must start the job itself.",
		.area = PIT_AREA_SECURITY,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_GPU,
		.path = "/proc/sys/kernel/yama/ptrace_scope",
		.op = PIT_OP_LE,
		.want = "1",
		.absent = "Yama is not in this kernel: users may attach to their own processes",
		.knob = "kernel.yama.ptrace_scope",
		.remedy = "Set kernel.yama.ptrace_scope=1, or 0 on machines for development.",
		.source = "Linux: Yama",
		.refs = "https://docs.kernel.org/admin-guide/LSM/Yama.html",
	},
	{
		.id = "security.dmesg",
		.title = "Kernel messages for users",
		.why = "Users who cannot read the kernel's messages cannot see Xid errors, OOM kills and I/O errors of their "
		       "own jobs. It makes a hardware fault look like a bug in the code.",
		.area = PIT_AREA_SECURITY,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_GPU,
		.path = "/proc/sys/kernel/dmesg_restrict",
		.op = PIT_OP_EQ,
		.want = "0",
		.knob = "kernel.dmesg_restrict",
		.remedy = "Set kernel.dmesg_restrict=0, or let a monitor that users can read keep the messages.",
		.source = "Linux: kernel.dmesg_restrict; Debian and Ubuntu set 1",
		.refs = "https://docs.kernel.org/admin-guide/sysctl/kernel.html",
	},
	{
		.id = "security.hidepid",
		.title = "Processes of others visible",
		.why = "With hidepid users and unprivileged monitors do not see who else uses the GPUs and the memory. Part "
		       "of the checks of pitcrew then see this user's processes only.",
		.area = PIT_AREA_SECURITY,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.probe = pit_probe_hidepid,
		.remedy = "Mount /proc with hidepid=2,gid=GROUP and put monitors into that group.",
		.source = "proc(5)",
		.refs = "https://docs.kernel.org/filesystems/proc.html",
	},
	{
		.id = "security.denials",
		.title = "Denials by SELinux or AppArmor",
		.why = "A security module that refuses a device, a namespace or shared memory makes jobs fail with "
		       "permission errors that no mode bit explains. Only the kernel's messages tell.",
		.area = PIT_AREA_SECURITY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_denials,
		.remedy =
			"Add a rule to the profile or policy, or label the files (container_file_t, :Z on the volume).",
		.source = "Linux: AppArmor and SELinux audit messages",
	},
	{.id = NULL},
};

/* SPDX-License-Identifier: MIT
 *
 * The rows about containers; their probes are in container_*.c.
 */
#include "check/container.h"

#include "check/catalog.h"

const struct pit_check pit_check_container[] = {
	{
		.id = "container.runtime",
		.title = "Container engine is recognised",
		.why = "What can be tuned, and where a limit comes from, depends on the engine. With an unknown "
		       "one the advice of other rows may name the wrong file.",
		.area = PIT_AREA_CONTAINER,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.probe = pit_container_runtime_probe,
		.remedy = "Tell the makers of this program the engine and its version.",
		.source = "this program",
	},
	{
		.id = "container.privileged",
		.title = "Container is not privileged",
		.why = "A privileged container sees every GPU and disk of the host, whatever the scheduler gave "
		       "it. A wrong device index or a wrong path then harms other jobs.",
		.area = PIT_AREA_CONTAINER,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_CONTAINER,
		.probe = pit_container_privileged_probe,
		.remedy = "Grant single capabilities (--cap-add SYS_NICE, IPC_LOCK) and devices in place of "
			  "--privileged.",
		.source = "Docker and Kubernetes security guides",
		.refs = "https://docs.docker.com/engine/containers/run/",
	},
	{
		.id = "container.cgroup-version",
		.title = "Control groups of version 2",
		.why = "Version 1 has no memory pressure, no group kill and no limit over all memory of a job, "
		       "and current systemd, Kubernetes and Slurm are giving it up. It matters at the next "
		       "upgrade, and when a job runs out of memory.",
		.area = PIT_AREA_CONTAINER,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.probe = pit_container_cgroup_version_probe,
		.remedy = "Have the init system mount version 2 at boot.",
		.reboot = true,
		.source = "Kubernetes 1.31: cgroup v1 in maintenance mode; systemd 258 drops it",
		.refs = "https://kubernetes.io/docs/concepts/architecture/cgroups/",
	},
	{
		.id = "container.pids",
		.title = "Processes that the container may start",
		.why = "Each thread counts, and one GPU process has hundreds of them. At the limit thread "
		       "creation fails with Resource temporarily unavailable, often only with more workers or on "
		       "a larger machine.",
		.area = PIT_AREA_CONTAINER,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_CONTAINER,
		.probe = pit_container_pids_probe,
		.remedy = "Start with --pids-limit=-1 or a limit of 4096 and more; in Kubernetes raise "
			  "podPidsLimit.",
		.source = "Kubernetes PID limiting; podman default 2048",
		.refs = "https://kubernetes.io/docs/concepts/policy/pid-limiting/",
	},
	{
		.id = "container.userns",
		.title = "User ids of the container",
		.why = "With only one user id mapped, files of other users appear as nobody and package managers "
		       "or chown fail. It concerns rootless containers whose user has no range in /etc/subuid.",
		.area = PIT_AREA_CONTAINER,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_CONTAINER,
		.probe = pit_container_userns_probe,
		.remedy = "Give the user a range in /etc/subuid and /etc/subgid, then run podman system migrate.",
		.source = "user_namespaces(7)",
		.refs = "https://man7.org/linux/man-pages/man7/user_namespaces.7.html",
	},
	{
		.id = "container.init",
		.title = "Process 1 reaps its children",
		.why = "A program that was not written as init leaves the children of ended workers as zombies. "
		       "They use up process ids and hide which worker died.",
		.area = PIT_AREA_CONTAINER,
		.impact = PIT_HURTING,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_CONTAINER,
		.probe = pit_container_init_probe,
		.remedy = "Start with --init (tini); in Kubernetes use shareProcessNamespace or an image with tini.",
		.source = "Docker --init",
		.refs = "https://docs.docker.com/engine/containers/multi-service_container/",
	},
	{
		.id = "container.sys",
		.title = "The container sees the hardware",
		.why = "NCCL and hwloc read the topology from /sys, and without it they guess paths and bind "
		       "nothing. Read-only is right; hidden or missing is not.",
		.area = PIT_AREA_CONTAINER,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_CONTAINER,
		.probe = pit_container_sys_probe,
		.remedy = "Mount sysfs at /sys read-only, as engines do unless told otherwise.",
		.source = "NCCL: topology detection in /sys",
		.refs = "https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/troubleshooting.html",
	},
	{
		.id = "container.nvidia-devices",
		.title = "GPU device files are complete",
		.why = "CUDA needs nvidiactl and nvidia-uvm beside the files of the GPUs, all permitted by the "
		       "device control group. With one missing cuInit fails although nvidia-smi may still work.",
		.area = PIT_AREA_CONTAINER,
		.impact = PIT_RISK,
		.otherwise = PIT_FAIL,
		.needs = PIT_NEED_CONTAINER,
		.probe = pit_container_nvidia_devices_probe,
		.remedy = "Start the container with --gpus, or run nvidia-modprobe -u -c=0 on the host first.",
		.command = "nvidia-modprobe -u -c=0",
		.source = "NVIDIA container toolkit troubleshooting",
		.refs = "https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/troubleshooting.html",
	},
	{
		.id = "container.cgroup-driver",
		.title = "Driver of containers' control groups",
		.why = "With the cgroupfs driver two managers write one tree, so limits of systemd's slices do not hold "
		       "for containers, and runtimes of one engine that differ put pods into different places. With "
		       "the systemd driver NVIDIA's device files need links in /dev/char (container.dev-char), and "
		       "some hosts of Docker choose cgroupfs to do without.",
		.area = PIT_AREA_CONTAINER,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_HOST,
		.probe = pit_container_cgroup_driver_probe,
		.remedy = "Set native.cgroupdriver=systemd in daemon.json, and SystemdCgroup = true for each "
			  "runtime of containerd.",
		.source = "kubernetes container runtimes; nvidia-container-toolkit#48: cgroupfs as a way round",
		.refs = "https://kubernetes.io/docs/setup/production-environment/container-runtimes/",
	},
	{
		.id = "container.containerd-nvidia",
		.title = "containerd can give out GPUs",
		.why = "Without a runtime for NVIDIA or CDI pods start without device files and libraries. "
		       "Drop-in files that replace the table of runtimes are the usual cause after an upgrade.",
		.area = PIT_AREA_CONTAINER,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_HOST | PIT_NEED_NVIDIA,
		.probe = pit_container_containerd_probe,
		.remedy = "Configure it with nvidia-ctk and restart containerd.",
		.command = "nvidia-ctk runtime configure --runtime=containerd && systemctl restart containerd",
		.source = "gpud containerd component; NVIDIA container toolkit",
		.refs = "https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/install-guide.html",
	},
	{
		.id = "container.docker-nvidia",
		.title = "Docker can give out GPUs",
		.why = "Without the toolkit, a runtime or CDI --gpus fails, and with a default runtime that does not exist "
		       "no container starts at all. The file is rewritten by configuration management more often "
		       "than by people.",
		.area = PIT_AREA_CONTAINER,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_HOST | PIT_NEED_NVIDIA,
		.probe = pit_container_docker_nvidia_probe,
		.remedy = "Configure it with nvidia-ctk and restart Docker.",
		.command = "nvidia-ctk runtime configure --runtime=docker && systemctl restart docker",
		.source = "NVIDIA container toolkit",
		.refs = "https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/install-guide.html",
	},
	{
		.id = "container.docker-logs",
		.title = "Logs of containers are limited",
		.why = "json-file keeps everything that a container prints, for ever. A training run with "
		       "progress bars writes gigabytes until the root disk is full and everything on the host "
		       "fails.",
		.area = PIT_AREA_CONTAINER,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_HOST,
		.probe = pit_container_docker_logs_probe,
		.remedy = "Set \"log-driver\": \"local\", or \"log-opts\": {\"max-size\": \"100m\", \"max-file\": "
			  "\"3\"} in daemon.json.",
		.source = "Docker logging drivers",
		.refs = "https://docs.docker.com/engine/logging/configure/",
	},
	{
		.id = "container.docker-defaults",
		.title = "Docker's defaults suit GPU jobs",
		.why = "64 MiB of shared memory and the daemon's memlock are too little for NCCL and RDMA, so "
		       "every start command must ask for more. The one that forgets fails in the middle of a "
		       "run.",
		.area = PIT_AREA_CONTAINER,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_HOST | PIT_NEED_GPU,
		.probe = pit_container_docker_defaults_probe,
		.remedy = "Set default-shm-size and default-ulimits memlock in daemon.json.",
		.source = "soperator daemon.json; NCCL troubleshooting",
		.refs = "https://docs.docker.com/reference/cli/dockerd/",
	},
	{
		.id = "container.storage",
		.title = "Images lie on a fast layer",
		.why = "vfs copies the whole image for each container, devicemapper and aufs are gone from "
		       "current Docker, and a network disk makes each start wait for it. Images of 20 GB turn "
		       "that into minutes.",
		.area = PIT_AREA_CONTAINER,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_HOST,
		.probe = pit_container_storage_probe,
		.remedy = "Use overlay2 and put data-root on a local disk.",
		.source = "Docker storage drivers",
		.refs = "https://docs.docker.com/engine/storage/drivers/select-storage-driver/",
	},
	{
		.id = "container.cdi",
		.title = "CDI specification is fresh",
		.why = "The specification names libraries with their driver version and device files. After a "
		       "driver update or a change of MIG slices the old one makes every GPU container fail to "
		       "start.",
		.area = PIT_AREA_CONTAINER,
		.impact = PIT_RISK,
		.otherwise = PIT_FAIL,
		.needs = PIT_NEED_HOST | PIT_NEED_NVIDIA,
		.probe = pit_container_cdi_probe,
		.remedy = "Generate it again after each driver update (nvidia-cdi-refresh.service does so).",
		.command = "nvidia-ctk cdi generate --output=/var/run/cdi/nvidia.yaml",
		.source = "NVIDIA container toolkit: CDI",
		.refs = "https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/cdi-support.html",
	},
	{
		.id = "container.toolkit",
		.title = "NVIDIA container toolkit is set up for this host",
		.why = "no-cgroups leaves the device control group closed in containers of root, and a missing "
		       "ldconfig leaves libcuda out of the loader's cache. Both show only inside of the "
		       "container, as a GPU that is not found.",
		.area = PIT_AREA_CONTAINER,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_HOST | PIT_NEED_NVIDIA,
		.probe = pit_container_toolkit_probe,
		.remedy = "Set no-cgroups = false and ldconfig to the host's program with a leading @.",
		.source = "NVIDIA container toolkit",
		.refs = "https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/docker-specialized.html",
	},
	{
		.id = "container.toolkit-envvar",
		.title = "Pods get only the GPUs they asked for",
		.why = "Images from NGC set NVIDIA_VISIBLE_DEVICES=all, and by default the toolkit obeys also "
		       "for pods that asked for no GPU. Such a pod uses the GPUs of others and the scheduler "
		       "does not know.",
		.area = PIT_AREA_CONTAINER,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_HOST | PIT_NEED_NVIDIA,
		.probe = pit_container_toolkit_envvar_probe,
		.remedy = "Set accept-nvidia-visible-devices-envvar-when-unprivileged = false and use the device "
			  "plugin with volume mounts or CDI.",
		.source = "NVIDIA device plugin: unprivileged access",
		.refs = "https://github.com/NVIDIA/k8s-device-plugin",
	},
	{
		.id = "container.dev-char",
		.title = "Device files have links in /dev/char",
		.why = "systemd finds device rules of a container by /dev/char, and the NVIDIA driver makes no "
		       "links there. After systemctl daemon-reload running containers then lose their GPUs.",
		.area = PIT_AREA_CONTAINER,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_HOST | PIT_NEED_NVIDIA,
		.probe = pit_container_dev_char_probe,
		.remedy = "Create the links now, and at boot by a udev rule.",
		.command = "nvidia-ctk system create-dev-char-symlinks --create-all",
		.source = "nvidia-container-toolkit#48, #1227",
		.refs = "https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/troubleshooting.html",
	},
	{
		.id = "container.enroot",
		.title = "enroot unpacks to a local disk",
		.why = "enroot unpacks an image into a hundred thousand files before it starts, and onto a network "
		       "disk that takes minutes for each rank. Jobs of pyxis then start late or run into their time-out.",
		.area = PIT_AREA_CONTAINER,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_HOST,
		.probe = pit_container_enroot_probe,
		.remedy = "Set ENROOT_DATA_PATH in /etc/enroot/enroot.conf to a directory on a local disk.",
		.source = "gke a3mega image; soperator",
		.refs = "https://github.com/NVIDIA/enroot/blob/master/doc/requirements.md",
	},
	{.id = NULL},
};

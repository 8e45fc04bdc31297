/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../tempdir.h"
#include "tree.h"
#include "tune/boot_args.h"
#include "tune/boot_grub.h"
#include "tune/boot_loader.h"
#include "tune/plan.h"
#include "tune/resolve.h"

/* ---- words ---- */

static char *joined(const struct pit_strv *v)
{
	struct pit_buf out = PIT_BUF_INIT;

	for (size_t i = 0; i < v->count; i++)
		pit_buf_printf(&out, "%s%s", i ? "|" : "", v->item[i]);
	return pit_buf_take(&out);
}

static void splits_as_the_kernel(void **state)
{
	static const struct {
		const char *line, *words;
	} rows[] = {
		{"", ""},
		{"BOOT_IMAGE=/vmlinuz root=UUID=1-2 ro quiet\n", "BOOT_IMAGE=/vmlinuz|root=UUID=1-2|ro|quiet"},
		{" \t a\tb  c ", "a|b|c"},
		{"dyndbg=\"file a.c +p\" x=1", "dyndbg=\"file a.c +p\"|x=1"},
		{"\"iommu=pt\" quiet", "\"iommu=pt\"|quiet"},
		{"ro -- single iommu=pt", "ro"},
		{"a \"open to the end", "a|\"open to the end"},
	};

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		pit_auto_strv struct pit_strv words = {0};
		pit_auto_free char *text = NULL;

		assert_int_equal(pit_boot_args_split(rows[i].line, &words), 0);
		text = joined(&words);
		assert_string_equal(text, rows[i].words);
	}
}

static void knows_names(void **state)
{
	assert_true(pit_boot_arg_is("iommu=pt", "iommu"));
	assert_true(pit_boot_arg_is("iommu", "iommu"));
	assert_true(pit_boot_arg_is("init-on-alloc=0", "init_on_alloc"));
	assert_true(pit_boot_arg_is("\"iommu=pt\"", "iommu"));
	assert_true(pit_boot_arg_is("nvme_core.io_timeout=4294967295", "nvme_core.io_timeout"));
	assert_false(pit_boot_arg_is("intel_iommu=on", "iommu"));
	assert_false(pit_boot_arg_is("iommu.passthrough=1", "iommu"));
	assert_false(pit_boot_arg_is("iomm", "iommu"));
	assert_false(pit_boot_arg_is("", "iommu"));
	assert_false(pit_boot_arg_is("init", "init_on_alloc"));
}

static void refuses_bytes_that_break_menus(void **state)
{
	static const char *const bad[] = {"",     "a b",   "a\tb",  "a'b", "a\"b", "a$b",      "a`b`",
					  "a\nb", "a\\b",  "a;b",   "a&b", "a|b",  "a<b",      "a{b}",
					  "a#b",  "a\x7f", "a\x01", "a(b", "a*",   "a\xc3\xa4"};
	static const char *const good[] = {"iommu=pt",
					   "console=ttyS0,115200n8",
					   "pci=disable_acs_redir=pci:0:0",
					   "root=UUID=11-22",
					   "nvme_core.io_timeout=4294967295",
					   "ip=10.0.0.1::10.0.0.2",
					   "resume=/dev/mapper/a+b",
					   "x=50%",
					   "y=~z@w"};
	struct pit_error err = PIT_ERROR_INIT;

	for (size_t i = 0; i < PIT_COUNT(bad); i++)
		assert_int_equal(pit_boot_arg_check(bad[i], &err), -EINVAL);
	for (size_t i = 0; i < PIT_COUNT(good); i++)
		assert_int_equal(pit_boot_arg_check(good[i], &err), 0);
	assert_int_equal(pit_boot_arg_check("a$b", &err), -EINVAL);
	assert_string_equal(err.text, "'$' cannot stand in the kernel's command line");
	assert_int_equal(pit_boot_arg_check("a\nb", &err), -EINVAL);
	assert_string_equal(err.text, "byte 0x0a cannot stand in the kernel's command line");
}

static void makes_words_of_values(void **state)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct pit_error err = PIT_ERROR_INIT;

	assert_int_equal(pit_boot_arg_word("iommu", "pt", &out, NULL), 0);
	assert_string_equal(out.data, "iommu=pt");
	pit_buf_clear(&out);
	assert_int_equal(pit_boot_arg_word("threadirqs", "present", &out, NULL), 0);
	assert_string_equal(out.data, "threadirqs");
	pit_buf_clear(&out);
	assert_int_equal(pit_boot_arg_word("quiet", "absent", &out, NULL), 0);
	assert_string_equal(out.data, "");
	assert_int_equal(pit_boot_arg_word("iommu", "pt quiet", &out, &err), -EINVAL);
	assert_string_equal(out.data, ""); /* only on success */
	assert_string_equal(err.text, "iommu=pt quiet: byte 0x20 cannot stand in the kernel's command line");
}

static void judges_what_counts(void **state)
{
	static const struct {
		const char *line, *name, *word;
		bool holds;
	} rows[] = {
		{"ro iommu=pt", "iommu", "iommu=pt", true},
		{"ro iommu=soft iommu=pt", "iommu", "iommu=pt", true},  /* the last one wins */
		{"ro iommu=pt iommu=soft", "iommu", "iommu=pt", false}, /* so this is not it */
		{"ro intel_iommu=on", "iommu", "iommu=pt", false},
		{"ro iommu=pt,force", "iommu", "iommu=pt", false}, /* whole words */
		{"ro", "iommu", NULL, true},
		{"ro iommu=pt", "iommu", NULL, false},
		{"ro -- iommu=pt", "iommu", NULL, true}, /* those are the first process's */
		{"pci=noaer pci=realloc", "pci", "pci=noaer", true},
		{"pci=noaer,realloc", "pci", "pci=realloc", true},
		{"pci=noaer", "pci", "pci=realloc", false},
		{"threadirqs", "threadirqs", "threadirqs", true},
	};

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		pit_auto_strv struct pit_strv words = {0};

		assert_int_equal(pit_boot_args_split(rows[i].line, &words), 0);
		assert_int_equal(pit_boot_arg_holds(&words, rows[i].name, rows[i].word), rows[i].holds);
	}
}

static void edits_a_line_and_nothing_else(void **state)
{
	static const struct {
		const char *line, *name, *word, *after;
	} rows[] = {
		{"root=UUID=1 ro  quiet\n", "iommu", "iommu=pt", "root=UUID=1 ro  quiet iommu=pt\n"},
		{"root=UUID=1 iommu=soft ro\n", "iommu", "iommu=pt", "root=UUID=1 ro iommu=pt\n"},
		{"root=UUID=1 quiet ro\n", "quiet", NULL, "root=UUID=1 ro\n"},
		{"quiet ro\n", "quiet", NULL, "ro\n"},
		{"ro quiet\n", "quiet", NULL, "ro\n"},
		{"ro dyndbg=\"file quiet +p\"\n", "quiet", NULL, "ro dyndbg=\"file quiet +p\"\n"},
		{"", "iommu", "iommu=pt", "iommu=pt"},
		{"\n", "iommu", "iommu=pt", "iommu=pt\n"},
		{"ro -- single\n", "iommu", "iommu=pt", "ro iommu=pt -- single\n"},
		{"-- single\n", "iommu", "iommu=pt", "iommu=pt -- single\n"},
		{"ro pci=noaer\n", "pci", "pci=realloc", "ro pci=noaer pci=realloc\n"},
		{"ro iommu=a x iommu=b\n", "iommu", "iommu=pt", "ro x iommu=pt\n"},
	};

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

		pit_boot_arg_edit(rows[i].line, rows[i].name, rows[i].word, &out);
		assert_string_equal(out.data, rows[i].after);
	}
}

/* ---- GRUB's shell ---- */

/* What sh makes of these files one after the other, as grub-mkconfig reads them: "LINUX|DEFAULT". */
static char *sourced(const char *shell, const char *const *texts, size_t count)
{
	char dir[64], path[128], command[256], out[2048];
	struct pit_buf script = PIT_BUF_INIT;
	size_t n;
	FILE *f;

	tempdir_new(dir, sizeof(dir));
	pit_buf_puts(&script, "set -e\n");
	for (size_t i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%zu.cfg", i);
		tempdir_file(dir, path, texts[i]);
		pit_buf_printf(&script, ". %s/%s\n", dir, path);
	}
	pit_buf_puts(&script, "printf '%s|%s' \"$GRUB_CMDLINE_LINUX\" \"$GRUB_CMDLINE_LINUX_DEFAULT\"\n");
	tempdir_file(dir, "script", script.data);
	tempdir_file(dir, "pt", "a file that words must not be taken for\n");
	pit_buf_free(&script);
	snprintf(command, sizeof(command), "cd %s && env -i PATH=/usr/bin:/bin %s script", dir, shell);
	f = popen(command, "re");
	assert_non_null(f);
	n = fread(out, 1, sizeof(out) - 1, f);
	out[n] = '\0';
	assert_int_equal(pclose(f), 0);
	tempdir_remove(dir);
	return strdup(out);
}

static const char *const shells[] = {"sh", "bash --posix", "busybox sh"};

static bool has_shell(const char *shell)
{
	char command[64];

	snprintf(command, sizeof(command), "%s -c true 2>/dev/null", shell);
	return !system(command);
}

#define UBUNTU                                                                                                         \
	"GRUB_DEFAULT=0\nGRUB_DISTRIBUTOR=`( . /etc/os-release; echo ${NAME:-Ubuntu} ) 2>/dev/null || echo Ubuntu`\n"  \
	"GRUB_CMDLINE_LINUX_DEFAULT=\"quiet splash\"\nGRUB_CMDLINE_LINUX=\"\"\n"
#define CLOUD "GRUB_CMDLINE_LINUX_DEFAULT=\"console=tty1 console=ttyS0\"\n"
#define KDUMP "GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT crashkernel=2G-4G:320M,4G-:512M\"\n"

static const struct {
	const char *others[3]; /* read before ours */
	const char *name, *word;
	const char *after;
} combined[] = {
	{{UBUNTU}, "iommu", "iommu=pt", "iommu=pt|quiet splash"},
	{{UBUNTU, CLOUD, KDUMP},
	 "iommu",
	 "iommu=pt",
	 "iommu=pt|console=tty1 console=ttyS0 crashkernel=2G-4G:320M,4G-:512M"},
	{{"GRUB_CMDLINE_LINUX=\"net.ifnames=0\"\n"}, "iommu", "iommu=pt", "net.ifnames=0 iommu=pt|"},
	{{"GRUB_CMDLINE_LINUX=\"a  iommu=pt\tb\"\n"}, "iommu", "iommu=pt", "a  iommu=pt\tb|"}, /* there already */
	{{"GRUB_CMDLINE_LINUX_DEFAULT=\"iommu=pt\"\n"}, "iommu", "iommu=pt", "|iommu=pt"},
	{{"GRUB_CMDLINE_LINUX=\"iommu=pt iommu=soft\"\n"}, "iommu", "iommu=pt", "iommu=pt iommu=soft iommu=pt|"},
	/* DEFAULT comes after LINUX, so ours must go there to win */
	{{"GRUB_CMDLINE_LINUX_DEFAULT=\"iommu=off quiet\"\n"}, "iommu", "iommu=pt", "|iommu=off quiet iommu=pt"},
	{{"GRUB_CMDLINE_LINUX=\"intel_iommu=on iommu.strict=0\"\n"},
	 "iommu",
	 "iommu=pt",
	 "intel_iommu=on iommu.strict=0 iommu=pt|"},
	{{"GRUB_CMDLINE_LINUX=\"init-on-alloc=0\"\n"},
	 "init_on_alloc",
	 "init_on_alloc=1",
	 "init-on-alloc=0 init_on_alloc=1|"},
	{{"GRUB_CMDLINE_LINUX=\"pci=noaer\"\n"}, "pci", "pci=realloc", "pci=noaer pci=realloc|"},
	{{"GRUB_CMDLINE_LINUX_DEFAULT=\"pci=realloc quiet\"\n"}, "pci", "pci=realloc", "|pci=realloc quiet"},
	{{"GRUB_TIMEOUT=5\n"}, "iommu", "iommu=pt", "iommu=pt|"}, /* neither is set */
	{{UBUNTU}, "quiet", NULL, "|splash"},
	{{"GRUB_CMDLINE_LINUX=\"quiet a=* quiet=1 b\"\n" CLOUD}, "quiet", NULL, "a=* b|console=tty1 console=ttyS0"},
	{{"GRUB_CMDLINE_LINUX=\"isolcpus=2-63 ro\"\nGRUB_CMDLINE_LINUX_DEFAULT=\"isolcpus=4\"\n"},
	 "isolcpus",
	 NULL,
	 "ro|"},
	{{"GRUB_CMDLINE_LINUX=\"numa-balancing=disable x\"\n"}, "numa_balancing", NULL, "x|"},
	{{"GRUB_CMDLINE_LINUX=\"dyndbg=\\\"file a.c +p\\\" -n quiet\"\n"}, "quiet", NULL, "dyndbg=\"file a.c +p\" -n|"},
	{{"GRUB_TIMEOUT=5\n"}, "quiet", NULL, "|"},
};

/* The tool that this names assigned GRUB_CMDLINE_LINUX_DEFAULT, and so threw away what others had put there. */
static void d08_grub_fragments_add_to_what_is_there(void **state)
{
	for (size_t s = 0; s < PIT_COUNT(shells); s++) {
		if (!has_shell(shells[s]))
			continue;
		for (size_t i = 0; i < PIT_COUNT(combined); i++) {
			struct pit_buf ours = PIT_BUF_INIT;
			const char *texts[5];
			size_t n = 0;
			pit_auto_free char *once = NULL, *twice = NULL;

			pit_grub_fragment(combined[i].name, combined[i].word, &ours);
			pit_buf_putc(&ours, '\n');
			while (n < 3 && combined[i].others[n]) {
				texts[n] = combined[i].others[n];
				n++;
			}
			texts[n] = texts[n + 1] = ours.data;
			once = sourced(shells[s], texts, n + 1);
			twice = sourced(shells[s], texts, n + 2);
			assert_string_equal(once, combined[i].after);
			assert_string_equal(twice, combined[i].after); /* nothing is doubled */
			pit_buf_free(&ours);
		}
	}
}

static void d08_fragments_of_several_arguments_combine(void **state)
{
	struct pit_buf a = PIT_BUF_INIT, b = PIT_BUF_INIT;
	pit_auto_free char *after = NULL;
	const char *texts[4] = {UBUNTU, KDUMP};

	pit_grub_fragment("iommu", "iommu=pt", &a);
	pit_buf_putc(&a, '\n');
	pit_grub_fragment("pci", "pci=realloc", &a);
	pit_buf_putc(&a, '\n');
	pit_grub_fragment("splash", NULL, &a);
	pit_buf_putc(&a, '\n');
	pit_grub_fragment("iommu", "iommu=soft", &b); /* a later transaction's file */
	pit_buf_putc(&b, '\n');
	texts[2] = a.data;
	texts[3] = b.data;
	after = sourced("sh", texts, 4);
	assert_string_equal(after, "iommu=pt pci=realloc iommu=soft|quiet crashkernel=2G-4G:320M,4G-:512M");
	pit_buf_free(&a);
	pit_buf_free(&b);
}

static void d08_no_plain_assignment(void **state)
{
	struct pit_buf out = PIT_BUF_INIT;

	pit_grub_fragment("iommu", "iommu=pt", &out);
	assert_null(strstr(out.data, "GRUB_CMDLINE_LINUX=\"iommu"));
	assert_null(strstr(out.data, "GRUB_CMDLINE_LINUX_DEFAULT=\"iommu"));
	assert_int_equal(pit_grub_overrides(out.data, "quiet"), 0); /* by our own reader of others' files, too */
	pit_buf_free(&out);
}

static void finds_files_that_take_it_back(void **state)
{
	static const struct {
		const char *text;
		int line;
	} rows[] = {
		{"", 0},
		{"# GRUB_CMDLINE_LINUX=\"iommu=off\"\n", 0},
		{"GRUB_TIMEOUT=1\n", 0},
		{"GRUB_CMDLINE_LINUX=\"quiet\"\n", 1},
		{"\n\n  export GRUB_CMDLINE_LINUX='quiet'\n", 3},
		{"GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX quiet\"\n", 0},
		{"GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n", 0}, /* ours is in the other variable */
		{"a=1\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet iommu=off\"\n", 2},
		{"GRUB_CMDLINE_LINUX_DEFAULT=\"intel_iommu=off\"\n", 0},
	};

	for (size_t i = 0; i < PIT_COUNT(rows); i++)
		assert_int_equal(pit_grub_overrides(rows[i].text, "iommu"), rows[i].line);
}

/* ---- menus ---- */

static const char debian_cfg[] =
	"# DO NOT EDIT THIS FILE\nset timeout=5\nmenuentry 'Debian GNU/Linux' --class debian {\n\tload_video\n"
	"\tsearch --no-floppy --fs-uuid --set=root 0a1b\n\techo\t'Loading Linux 6.1.0-18-amd64 ...'\n"
	"\tlinux\t/boot/vmlinuz-6.1.0-18-amd64 root=UUID=0a1b ro  iommu=pt quiet\n\tinitrd\t/boot/initrd.img-6.1.0-18-amd64\n}\n"
	"submenu 'Advanced options' {\n\tmenuentry 'recovery' {\n\t\tlinux\t/boot/vmlinuz-6.1.0-18-amd64 root=UUID=0a1b ro single\n"
	"\t}\n}\n";
static const char ubuntu_cfg[] =
	"menuentry 'Ubuntu' {\n\tgfxmode $linux_gfx_mode\n"
	"\tlinux\t/vmlinuz-6.8.0-45-generic root=/dev/mapper/vg-root ro console=tty1 console=ttyS0\n}\n";
static const char xen_cfg[] = "menuentry 'x' {\n\tmultiboot2 /xen.gz\n\tmodule2 /vmlinuz ro\n}\n";

static void reads_grub_cfg(void **state)
{
	static const struct {
		const char *cfg, *words;
		int rc;
	} rows[] = {
		{debian_cfg, "root=UUID=0a1b|ro|iommu=pt|quiet", 0},
		{ubuntu_cfg, "root=/dev/mapper/vg-root|ro|console=tty1|console=ttyS0", 0},
		{"\tlinuxefi /vmlinuz-5.14 ro\n", "ro", 0},
		{"\tlinux /vmlinuz\n", "", 0},
		{"linux\nlinux \n", "", -ENOENT},
		{xen_cfg, "", -ENOENT},
		{"blscfg\n", "", -ENOENT},
		{"", "", -ENOENT},
	};

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		pit_auto_strv struct pit_strv words = {0};
		pit_auto_free char *text = NULL;

		assert_int_equal(pit_grub_cfg_args(rows[i].cfg, &words), rows[i].rc);
		text = joined(&words);
		assert_string_equal(text, rows[i].words);
	}
}

static const char rocky9[] = "title Rocky Linux (5.14.0-427.13.1.el9_4.x86_64) 9.4 (Blue Onyx)\n"
			     "version 5.14.0-427.13.1.el9_4.x86_64\nlinux /vmlinuz-5.14.0-427.13.1.el9_4.x86_64\n"
			     "initrd /initramfs-5.14.0-427.13.1.el9_4.x86_64.img $tuned_initrd\n"
			     "options root=/dev/mapper/rl-root ro crashkernel=1G-4G:192M rhgb quiet $tuned_params\n"
			     "grub_users $grub_users\ngrub_arg --unrestricted\ngrub_class rocky\n";
static const char rhel8[] =
	"title Red Hat Enterprise Linux (4.18.0-553.el8_10.x86_64)\nlinux /vmlinuz-4.18.0-553.el8_10.x86_64\n"
	"options $kernelopts $tuned_params\nid rhel-1\n";
static const char grubenv[] =
	"# GRUB Environment Block\nsaved_entry=abc-4.18.0-553.el8_10.x86_64\n"
	"kernelopts=root=/dev/sda2 ro iommu=pt \ntuned_params=skew_tick=1\nboot_success=0\n#######";

static void reads_boot_entries(void **state)
{
	static const struct {
		const char *entry, *env, *words;
		int rc;
	} rows[] = {
		{rocky9, "", "root=/dev/mapper/rl-root|ro|crashkernel=1G-4G:192M|rhgb|quiet", 0},
		{rocky9, grubenv, "root=/dev/mapper/rl-root|ro|crashkernel=1G-4G:192M|rhgb|quiet|skew_tick=1", 0},
		{rhel8, grubenv, "root=/dev/sda2|ro|iommu=pt|skew_tick=1", 0},
		{"linux /v\noptions a\noptions b\n", "", "a|b", 0},
		{"linux /v\noptions x=$\n", "", "x=$", 0},
		{"linux /v\n", "", "", 0},
		{"efi /shell.efi\noptions -nomap\n", "", "-nomap", 0},
		{"title Firmware\n", "", "", -ENOENT},
		{"", "", "", -ENOENT},
	};

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		pit_auto_strv struct pit_strv words = {0};
		pit_auto_free char *text = NULL;

		assert_int_equal(pit_bls_args(rows[i].entry, rows[i].env, &words), rows[i].rc);
		text = joined(&words);
		assert_string_equal(text, rows[i].words);
	}
}

/* ---- whole machines ---- */

#define GRUB_BOOT "BOOT_IMAGE=/boot/vmlinuz-6.1.0-18-amd64 root=UUID=0a1b ro iommu=pt quiet\n"
#define RHEL_BOOT "BOOT_IMAGE=(hd0,gpt2)/vmlinuz-5.14.0 root=/dev/mapper/rl-root ro crashkernel=1G-4G:192M rhgb quiet\n"
#define DIRECT "console=ttyS0 root=/dev/vda\n"
#define MKCONFIG "#!/bin/sh\nset -e\nif test -f ${sysconfdir}/default/grub ; then\n  . ${sysconfdir}/default/grub\nfi\n"
#define MKCONFIG_D MKCONFIG "for x in ${sysconfdir}/default/grub.d/*.cfg ; do\n  . \"${x}\"\ndone\n"
#define ENTRY "/boot/loader/entries/0b-5.14.0.conf"
#define RESCUE "/boot/loader/entries/0b-0-rescue.conf"

static const struct tree_file debian[] = {
	{"/proc/cmdline", GRUB_BOOT},
	{"/usr/sbin/grub-mkconfig", MKCONFIG_D},
	{"/etc/default/grub", UBUNTU},
	{"/boot/grub/grub.cfg", debian_cfg},
	{NULL, NULL},
};
static const struct tree_file opensuse[] = {
	{"/proc/cmdline", GRUB_BOOT},
	{"/usr/sbin/grub2-mkconfig", MKCONFIG},
	{"/etc/default/grub", UBUNTU},
	{"/boot/grub2/grub.cfg", debian_cfg},
	{NULL, NULL},
};
static const struct tree_file arch[] = {
	{"/proc/cmdline", GRUB_BOOT},        {"/usr/bin/grub-mkconfig", MKCONFIG},
	{"/etc/default/grub", UBUNTU},       {"/etc/default/grub.d/50-x.cfg", "GRUB_CMDLINE_LINUX=\"x\"\n"},
	{"/boot/grub/grub.cfg", debian_cfg}, {NULL, NULL},
};
static const struct tree_file rocky[] = {
	{"/proc/cmdline", RHEL_BOOT},
	{"/usr/sbin/grubby", "#!/bin/bash\n"},
	{"/etc/default/grub", UBUNTU},
	{"/etc/default/grub.d/50-x.cfg", "GRUB_CMDLINE_LINUX=\"x\"\n"},
	{ENTRY, rocky9},
	{RESCUE, rocky9},
	{NULL, NULL},
};
static const struct tree_file apart[] = {
	{"/proc/cmdline", RHEL_BOOT},
	{"/usr/sbin/grubby", "#!/bin/bash\n"},
	{ENTRY, "linux /v\noptions ro iommu=pt hugepagesz=1G hugepages=4\n"},
	{RESCUE, "linux /v\noptions ro hugepagesz=1G hugepages=4\n"},
	{NULL, NULL},
};
static const struct tree_file direct[] = {
	{"/proc/cmdline", DIRECT},
	{"/usr/sbin/grub-mkconfig", MKCONFIG_D},
	{"/etc/default/grub", UBUNTU},
	{NULL, NULL},
};
static const struct tree_file pxe[] = {
	{"/proc/cmdline", "BOOT_IMAGE=rocky9/vmlinuz initrd=rocky9/initrd ro\n"},
	{"/usr/sbin/grubby", "#!/bin/bash\n"},
	{ENTRY, rocky9},
	{NULL, NULL},
};
static const struct tree_file ostree[] = {
	{"/proc/cmdline", RHEL_BOOT},
	{"/usr/sbin/grubby", "#!/bin/bash\n"},
	{ENTRY, rocky9},
	{"/run/ostree-booted", ""},
	{NULL, NULL},
};
static const struct tree_file jetson[] = {
	{"/proc/cmdline", DIRECT}, {"/boot/extlinux/extlinux.conf", "LABEL primary\n"}, {NULL, NULL}};
static const struct tree_file pi[] = {
	{"/proc/cmdline", DIRECT}, {"/boot/firmware/cmdline.txt", "root=/dev/mmcblk0p2\n"}, {NULL, NULL}};

static void recognises_loaders(void **state)
{
	static const struct {
		const struct tree_file *files;
		enum pit_boot_kind kind;
		const char *where; /* a part of it */
	} rows[] = {
		{debian, PIT_BOOT_GRUB_D, NULL},
		{opensuse, PIT_BOOT_OTHER, "/etc/default/grub"},
		{rocky, PIT_BOOT_GRUBBY, NULL},
		{direct, PIT_BOOT_OTHER, "hypervisor"},
		{pxe, PIT_BOOT_OTHER, "network"},
		{ostree, PIT_BOOT_OTHER, "rpm-ostree kargs"},
		{jetson, PIT_BOOT_OTHER, "extlinux.conf"},
		{pi, PIT_BOOT_OTHER, "/boot/firmware/cmdline.txt"},
	};

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		struct tree t = tree_open(rows[i].files);
		struct pit_boot_loader loader = {.name = NULL};

		assert_int_equal(pit_boot_loader_find(t.root, &loader, NULL), 0);
		assert_int_equal(loader.kind, rows[i].kind);
		assert_non_null(loader.name);
		if (rows[i].where)
			assert_non_null(strstr(loader.where, rows[i].where));
		tree_close(&t);
	}
}

struct asked {
	struct pit_wishes wishes;
	struct pit_error err;
	int rc;
};

static void ask_in(const char *dir, const char *id, const char *value, bool persist, struct asked *a)
{
	const struct pit_knob knob = {.id = id};
	char copy[128];
	const struct pit_setting setting = {.knob = &knob, .value = copy};
	struct pit_scene *scene = NULL;
	struct pit_root *root = NULL;

	snprintf(copy, sizeof(copy), "%s", value);
	a->wishes.txn = 7;
	a->wishes.persist = persist;
	assert_int_equal(pit_root_open(dir, &root, NULL), 0);
	assert_int_equal(pit_scene_new(root, &scene, NULL), 0);
	a->rc = pit_resolve_cmdline(&setting, scene, &a->wishes, &a->err);
	pit_scene_free(scene);
	pit_root_close(root);
}

static struct asked ask(const struct tree_file *files, const char *id, const char *value, bool persist)
{
	struct tree t = tree_open(files);
	struct asked a = {.rc = 0};

	ask_in(t.dir, id, value, persist, &a);
	tree_close(&t);
	return a;
}

static const char fragment[] = "/etc/default/grub.d/99-zz-pitcrew-0007.cfg";

static void adds_a_fragment_for_grub(void **state)
{
	struct asked a = ask(debian, "cmdline.init_on_alloc", "0", true);
	pit_auto_buf struct pit_buf want = PIT_BUF_INIT;

	assert_int_equal(a.rc, 0);
	assert_int_equal(a.wishes.wishes, 0);
	assert_int_equal(a.wishes.fragments, 1);
	assert_string_equal(a.wishes.fragment[0].path, fragment);
	pit_grub_fragment("init_on_alloc", "init_on_alloc=0", &want);
	assert_string_equal(a.wishes.fragment[0].line, want.data);
	pit_wishes_free(&a.wishes);

	/* Without --persist there is a cell that is not of the running kernel, and no file. */
	a = ask(debian, "cmdline.init_on_alloc", "0", false);
	assert_int_equal(a.rc, 0);
	assert_int_equal(a.wishes.fragments, 0);
	assert_int_equal(a.wishes.wishes, 1);
	assert_int_equal(a.wishes.wish[0].cell.target, PIT_TARGET_BOOTARG);
	assert_string_equal(a.wishes.wish[0].value, "init_on_alloc=0");
	assert_false(pit_target_bootarg.runtime);
	pit_wishes_free(&a.wishes);
}

static void leaves_what_is_right(void **state)
{
	static const struct {
		const char *id, *value, *wish;
	} rows[] = {
		{"cmdline.iommu", "pt", "iommu=pt"},
		{"cmdline.quiet", "present", "quiet"},
		{"cmdline.isolcpus", "absent", NULL},
	};

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		struct tree t = tree_open(debian);
		struct asked a = {.rc = 0};
		pit_auto_free char *now = NULL;

		ask_in(t.dir, rows[i].id, rows[i].value, true, &a);
		assert_int_equal(a.rc, 0);
		assert_int_equal(a.wishes.fragments, 0);
		assert_int_equal(a.wishes.wishes, 1);
		assert_null(a.wishes.wish[0].refuse);
		assert_int_equal(pit_cell_read(t.root, &a.wishes.wish[0].cell, &now, NULL), 0);
		assert_true(pit_value_equal(PIT_VALUE_TEXT, now, a.wishes.wish[0].value));
		assert_true(pit_value_equal(PIT_VALUE_TEXT, now, rows[i].wish));
		pit_wishes_free(&a.wishes);
		tree_close(&t);
	}
}

static void d08_grub_d_is_not_used_where_nothing_reads_it(void **state)
{
	static const struct tree_file *const machines[] = {opensuse, arch};

	for (size_t i = 0; i < PIT_COUNT(machines); i++) {
		struct asked a = ask(machines[i], "cmdline.init_on_alloc", "0", true);

		assert_int_equal(a.rc, 0);
		assert_int_equal(a.wishes.fragments, 0);
		assert_int_equal(a.wishes.wishes, 1);
		assert_non_null(a.wishes.wish[0].refuse);
		assert_non_null(
			strstr(a.wishes.wish[0].refuse,
			       "add 'init_on_alloc=0' to GRUB_CMDLINE_LINUX of /etc/default/grub, then run 'grub"));
		pit_wishes_free(&a.wishes);
	}
}

static void d08_refuses_when_a_later_file_wins(void **state)
{
	struct tree t = tree_open(debian);
	struct asked a = {.rc = 0};

	tempdir_file(t.dir, "/etc/default/grub.d/99_tuned.cfg", "# x\nGRUB_CMDLINE_LINUX=\" ${TUNED_BOOT_CMDLINE}\"\n");
	ask_in(t.dir, "cmdline.init_on_alloc", "0", true, &a);
	assert_int_equal(a.rc, 0);
	assert_int_equal(a.wishes.fragments, 0);
	assert_int_equal(a.wishes.wishes, 1);
	assert_non_null(strstr(a.wishes.wish[0].refuse, "/etc/default/grub.d/99_tuned.cfg:2 is read after"));
	pit_wishes_free(&a.wishes);
	tree_close(&t);
}

static void wishes_for_grubby(void **state)
{
	struct asked a = ask(rocky, "cmdline.iommu", "pt", true);

	assert_int_equal(a.rc, 0);
	assert_int_equal(a.wishes.fragments, 0);
	assert_int_equal(a.wishes.wishes, 1);
	assert_string_equal(a.wishes.wish[0].value, "iommu=pt");
	pit_wishes_free(&a.wishes);
	a = ask(rocky, "cmdline.quiet", "absent", true);
	assert_int_equal(a.wishes.wishes, 1);
	assert_null(a.wishes.wish[0].value);
	assert_null(a.wishes.wish[0].refuse);
	pit_wishes_free(&a.wishes);
	a = ask(apart, "cmdline.iommu", "pt", true);
	assert_int_equal(a.rc, 0);
	assert_non_null(strstr(a.wishes.wish[0].refuse, "0b-0-rescue.conf has '', 0b-5.14.0.conf has 'iommu=pt'"));
	pit_wishes_free(&a.wishes);
}

static void leaves_pairs_to_the_admin_where_grubby_is(void **state)
{
	struct asked a = ask(apart, "cmdline.hugepages", "absent", true);

	assert_int_equal(a.rc, 0);
	assert_int_equal(a.wishes.wishes, 1);
	assert_non_null(strstr(a.wishes.wish[0].refuse, "pairs whose order counts"));
	pit_wishes_free(&a.wishes);
}

static void never_isolates(void **state)
{
	static const char *const ids[] = {"cmdline.isolcpus", "cmdline.nohz_full", "cmdline.rcu_nocbs"};

	for (size_t i = 0; i < PIT_COUNT(ids); i++) {
		struct asked a = ask(debian, ids[i], "2-63", true);

		assert_int_equal(a.rc, 0);
		assert_int_equal(a.wishes.fragments, 0);
		assert_int_equal(a.wishes.wishes, 1);
		assert_non_null(strstr(a.wishes.wish[0].refuse, ids[i] + strlen("cmdline.")));
		pit_wishes_free(&a.wishes);
	}
}

static void refuses_bad_values(void **state)
{
	struct asked a = ask(debian, "cmdline.iommu", "pt; reboot", true);

	assert_int_equal(a.rc, -EINVAL);
	assert_int_equal(a.wishes.wishes + a.wishes.fragments, 0);
	assert_non_null(strstr(a.err.text, "iommu=pt; reboot"));
	pit_wishes_free(&a.wishes);
}

/* A file with the UTF-16 that systemd-boot leaves in the firmware's variables. */
static void add_systemd_boot(const char *dir)
{
	static const char name[] = "\x06\0\0\0s\0y\0s\0t\0e\0m\0d\0-\0b\0o\0o\0t\0 \0002\0005\0002\0\0\0";

	assert_int_equal(tempdir_write(dir, "/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f",
				       name, sizeof(name)),
			 0);
}

static void edits_the_line_of_kernel_install(void **state)
{
	static const struct tree_file files[] = {
		{"/proc/cmdline", "initrd=\\x\\initrd root=UUID=1 ro quiet\n"},
		{"/usr/bin/kernel-install", "#!/bin/sh\n"},
		{NULL, NULL},
	};
	struct tree t = tree_open(files);
	struct asked a = {.rc = 0};

	add_systemd_boot(t.dir);
	ask_in(t.dir, "cmdline.iommu", "pt", true, &a);
	assert_int_equal(a.rc, 0);
	assert_int_equal(a.wishes.wishes, 1);
	assert_string_equal(a.wishes.wish[0].refuse,
			    "/etc/kernel/cmdline is not there; write the arguments to keep to it "
			    "first: root=UUID=1 ro quiet");
	pit_wishes_free(&a.wishes);

	a = (struct asked){.wishes = {.kernel_cmdline = "root=UUID=1 ro quiet iommu=pt\n"}}; /* by an earlier setting */
	ask_in(t.dir, "cmdline.quiet", "absent", true, &a);
	assert_int_equal(a.wishes.wishes, 1);
	assert_string_equal(a.wishes.wish[0].value, "root=UUID=1 ro iommu=pt\n");
	pit_wishes_free(&a.wishes);

	tempdir_file(t.dir, "/etc/kernel/cmdline", "root=UUID=2  rw\n");
	a = (struct asked){.rc = 0};
	ask_in(t.dir, "cmdline.iommu", "pt", true, &a);
	assert_int_equal(a.wishes.wish[0].cell.target, PIT_TARGET_FILE);
	assert_string_equal(a.wishes.wish[0].cell.object, "/etc/kernel/cmdline");
	assert_string_equal(a.wishes.wish[0].value, "root=UUID=2  rw iommu=pt\n");
	pit_wishes_free(&a.wishes);

	tempdir_file(t.dir, "/etc/kernel/cmdline", "dyndbg=\"open ro\n");
	a = (struct asked){.rc = 0};
	ask_in(t.dir, "cmdline.iommu", "pt", true, &a);
	assert_int_equal(a.wishes.wishes, 1);
	assert_non_null(strstr(a.wishes.wish[0].refuse, "quotes"));
	pit_wishes_free(&a.wishes);
	tree_close(&t);
}

/* Two arguments of one plan end up in one text of the file, and the second does not push out the first. */
static void d08_arguments_of_one_plan_share_the_line(void **state)
{
	static const struct tree_file files[] = {
		{"/proc/cmdline", "initrd=x root=UUID=1 ro quiet\n"},
		{"/usr/bin/kernel-install", "#!/bin/sh\n"},
		{"/etc/kernel/cmdline", "root=UUID=1 ro\n"},
		{NULL, NULL},
	};
	struct pit_setting settings[] = {
		{.knob = pit_knob_find("cmdline.iommu"), .value = (char[]){"pt"}},
		{.knob = pit_knob_find("cmdline.init_on_alloc"), .value = (char[]){"0"}},
	};
	const struct pit_profile profile = {
		.name = (char[]){"p"}, .setting = settings, .settings = PIT_COUNT(settings)};
	const struct pit_plan_options options = {.persist = true, .txn = 7};
	struct tree t = tree_open(files);
	struct pit_scene *scene = NULL;
	struct pit_plan plan = {0};
	size_t files_changed = 0;

	add_systemd_boot(t.dir);
	assert_int_equal(pit_scene_new(t.root, &scene, NULL), 0);
	assert_int_equal(pit_plan_make(scene, &profile, &options, &plan, NULL), 0);
	for (size_t i = 0; i < plan.changes; i++) {
		if (strcmp(plan.change[i].cell.object, "/etc/kernel/cmdline") != 0)
			continue;
		assert_string_equal(plan.change[i].old, "root=UUID=1 ro\n");
		assert_string_equal(plan.change[i].new, "root=UUID=1 ro iommu=pt init_on_alloc=0\n");
		files_changed++;
	}
	assert_int_equal(files_changed, 1);
	assert_int_equal(plan.conflicts.count, 0);
	assert_true(plan.needs_reboot);
	pit_plan_free(&plan);
	pit_scene_free(scene);
	tree_close(&t);
}

/* The whole of it where GRUB is: one file with both, which sh puts together. */
static void d08_one_plan_for_grub(void **state)
{
	struct pit_setting settings[] = {
		{.knob = pit_knob_find("cmdline.init_on_alloc"),
		 .value = (char[]){"0"},
		 .why = (char[]){"it's \"faster\" $(x)"}},
		{.knob = pit_knob_find("cmdline.threadirqs"), .value = (char[]){"absent"}},
		{.knob = pit_knob_find("cmdline.numa_balancing"), .value = (char[]){"disable"}},
	};
	const struct pit_profile profile = {
		.name = (char[]){"p"}, .setting = settings, .settings = PIT_COUNT(settings)};
	const struct pit_plan_options options = {.persist = true, .txn = 7};
	struct tree t = tree_open(debian);
	struct pit_scene *scene = NULL;
	struct pit_plan plan = {0};
	const char *texts[3] = {UBUNTU, KDUMP};

	assert_int_equal(pit_scene_new(t.root, &scene, NULL), 0);
	assert_int_equal(pit_plan_make(scene, &profile, &options, &plan, NULL), 0);
	assert_int_equal(plan.conflicts.count, 0);
	for (size_t i = 0; i < plan.changes; i++)
		if (!strcmp(plan.change[i].cell.object, fragment))
			texts[2] = plan.change[i].new;
	assert_non_null(texts[2]);
	for (size_t s = 0; s < PIT_COUNT(shells); s++) {
		pit_auto_free char *after = has_shell(shells[s]) ? sourced(shells[s], texts, 3) : NULL;

		if (after)
			assert_string_equal(after, "init_on_alloc=0 numa_balancing=disable|quiet splash "
						   "crashkernel=2G-4G:320M,4G-:512M");
	}
	pit_plan_free(&plan);
	pit_scene_free(scene);
	tree_close(&t);
}

static void prints_commands(void **state)
{
	struct pit_buf out = PIT_BUF_INIT;
	struct pit_cell cell = {.target = PIT_TARGET_BOOTARG, .object = (char[]){"iommu"}};

	pit_target_bootarg.shell(&cell, "iommu=pt", &out);
	pit_target_bootarg.shell(&cell, NULL, &out);
	assert_non_null(strstr(out.data, "grubby --update-kernel=ALL --args="));
	assert_non_null(strstr(out.data, "grubby --update-kernel=ALL --remove-args="));
	pit_buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits_as_the_kernel),
		cmocka_unit_test(knows_names),
		cmocka_unit_test(refuses_bytes_that_break_menus),
		cmocka_unit_test(makes_words_of_values),
		cmocka_unit_test(judges_what_counts),
		cmocka_unit_test(edits_a_line_and_nothing_else),
		cmocka_unit_test(d08_grub_fragments_add_to_what_is_there),
		cmocka_unit_test(d08_fragments_of_several_arguments_combine),
		cmocka_unit_test(d08_no_plain_assignment),
		cmocka_unit_test(finds_files_that_take_it_back),
		cmocka_unit_test(reads_grub_cfg),
		cmocka_unit_test(reads_boot_entries),
		cmocka_unit_test(recognises_loaders),
		cmocka_unit_test(adds_a_fragment_for_grub),
		cmocka_unit_test(leaves_what_is_right),
		cmocka_unit_test(d08_grub_d_is_not_used_where_nothing_reads_it),
		cmocka_unit_test(d08_refuses_when_a_later_file_wins),
		cmocka_unit_test(wishes_for_grubby),
		cmocka_unit_test(leaves_pairs_to_the_admin_where_grubby_is),
		cmocka_unit_test(never_isolates),
		cmocka_unit_test(refuses_bad_values),
		cmocka_unit_test(edits_the_line_of_kernel_install),
		cmocka_unit_test(d08_arguments_of_one_plan_share_the_line),
		cmocka_unit_test(d08_one_plan_for_grub),
		cmocka_unit_test(prints_commands),
	};

	return cmocka_run_group_tests_name("tune_boot", tests, NULL, NULL);
}

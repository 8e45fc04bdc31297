/* SPDX-License-Identifier: MIT */
#include "base/path.h"
#include "check/kernel.h"

#include <string.h>

#include "check/offenders.h"

static size_t name_length(const char *word)
{
	return strcspn(word, "=");
}

/* Arguments that may come several times, each time with a meaning of its own. */
static bool may_repeat(const char *word)
{
	static const char *const names[] = {"console",    "earlycon",   "earlyprintk", "hugepagesz",     "hugepages",
					    "memmap",     "pci",        "acpi_osi",    "crashkernel",    "ip",
					    "nameserver", "video",      "dyndbg",      "cgroup_disable", "initrd",
					    "cma",        "netconsole", "blkdevparts", "security",       "ima_policy"};

	if (strchr(word, '.') && strchr(word, '.') < word + name_length(word))
		return true; /* module.parameter and systemd.unit settings: often lists */
	for (size_t i = 0; i < PIT_COUNT(names); i++)
		if (name_length(word) == strlen(names[i]) && !strncmp(word, names[i], strlen(names[i])))
			return true;
	return false;
}

/* Words behind "--" belong to the first process. */
static size_t kernel_words(const struct pit_strv *cmdline)
{
	size_t n = 0;

	while (n < cmdline->count && strcmp(cmdline->item[n], "--") != 0)
		n++;
	return n;
}

/* An earlier word of the same name; NULL none. */
static const char *earlier(const struct pit_strv *cmdline, size_t at)
{
	const char *word = cmdline->item[at];

	for (size_t i = 0; i < at; i++)
		if (name_length(cmdline->item[i]) == name_length(word) &&
		    !strncmp(cmdline->item[i], word, name_length(word)))
			return cmdline->item[i];
	return NULL;
}

int pit_kernel_duplicates(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			  struct pit_error *err)
{
	struct pit_offenders bad = {0};
	const struct pit_strv *cmdline;
	int rc = pit_facts_cmdline(facts, &cmdline, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < kernel_words(cmdline); i++) {
		const char *word = cmdline->item[i], *before = earlier(cmdline, i);

		if (!before || may_repeat(word))
			continue;
		pit_offenders_add(&bad, "%.*s", (int)name_length(word), word);
		if (strcmp(before, word) != 0)
			pit_evidence(out, "/proc/cmdline", "%s, and later %s: the last one wins", before, word);
		else
			pit_evidence(out, "/proc/cmdline", "%s twice", word);
	}
	pit_want(out, "each argument once");
	if (bad.count)
		return pit_bad(out, "%s", pit_offenders_text(&bad));
	return pit_pass(out, "each argument once");
}

void pit_grub_args_free(struct pit_grub_args *args)
{
	pit_strv_free(&args->all);
	pit_strv_free(&args->normal);
}

/* Splits the quoted value and puts its words into `to`. */
static int assign(const char *value, struct pit_strv *to)
{
	pit_auto_strv struct pit_strv words = {0};
	char quote = *value == '"' || *value == '\'' ? *value : '\0', text[2048];
	char stop[3] = {quote ? quote : ' ', '\n', '\0'};
	int rc;

	value += quote != '\0';
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(value, stop), value);
	rc = pit_strv_split(&words, text, " \t");
	if (rc)
		return rc;
	if (!words.count || (strncmp(words.item[0], "$GRUB_", 6) != 0 && strncmp(words.item[0], "${GRUB_", 7) != 0))
		pit_strv_free(to);
	for (size_t i = 0; i < words.count && !rc; i++)
		if (!strchr(words.item[i], '$') && !strchr(words.item[i], '`'))
			rc = pit_strv_add(to, words.item[i]);
	return rc;
}

int pit_grub_parse(const char *text, struct pit_grub_args *args)
{
	static const char all[] = "GRUB_CMDLINE_LINUX=", normal[] = "GRUB_CMDLINE_LINUX_DEFAULT=";
	int rc = 0;

	for (const char *line = text; line && !rc; line = strchr(line, '\n')) {
		line += *line == '\n';
		line += strspn(line, " \t");
		if (!strncmp(line, "export ", 7))
			line += 7;
		if (!strncmp(line, all, sizeof(all) - 1))
			rc = assign(line + sizeof(all) - 1, &args->all);
		else if (!strncmp(line, normal, sizeof(normal) - 1))
			rc = assign(line + sizeof(normal) - 1, &args->normal);
	}
	return rc;
}

/* /etc/default/grub and, where the distribution reads them, its drop-ins. */
static int load_grub(struct pit_root *root, bool drop_ins, struct pit_grub_args *args, struct pit_error *err)
{
	const struct pit_strv *names;
	struct pit_text text;
	int rc = pit_root_read(root, &text, "/etc/default/grub");

	rc = rc ? rc : pit_grub_parse(text.data, args);
	if (rc)
		return pit_fail(err, -rc, "/etc/default/grub");
	if (!drop_ins || pit_root_list(root, &names, "/etc/default/grub.d"))
		return 0;
	for (size_t i = 0; i < names->count && !rc; i++) {
		if (pit_ends_with(names->item[i], ".cfg") &&
		    !pit_root_read(root, &text, "/etc/default/grub.d/%s", names->item[i]))
			rc = pit_grub_parse(text.data, args);
	}
	return rc ? pit_fail(err, -rc, "/etc/default/grub.d") : 0;
}

static bool has_cfg(struct pit_root *root, const char *dir)
{
	const struct pit_strv *names;

	if (pit_root_list(root, &names, "%s", dir))
		return false;
	for (size_t i = 0; i < names->count; i++)
		if (strstr(names->item[i], ".cfg"))
			return true;
	return false;
}

static void add_missing(const struct pit_strv *want, const struct pit_strv *cmdline, struct pit_offenders *missing,
			struct pit_finding *out)
{
	for (size_t i = 0; i < want->count; i++) {
		if (pit_strv_has(cmdline, want->item[i]))
			continue;
		pit_offenders_add(missing, "%s", want->item[i]);
		pit_evidence(out, "/etc/default/grub", "%s is not in /proc/cmdline", want->item[i]);
	}
}

int pit_kernel_pending(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	PIT_CLEANUP(pit_grub_args_free) struct pit_grub_args args = {0};
	struct pit_root *root = pit_facts_root(facts);
	struct pit_offenders missing = {0};
	const struct pit_strv *cmdline;
	bool debian = !pit_root_exists(root, "/etc/debian_version");
	int rc = pit_facts_cmdline(facts, &cmdline, err);

	if (rc)
		return rc;
	if (!pit_cmdline_get(cmdline, "BOOT_IMAGE") || pit_root_exists(root, "/etc/default/grub"))
		return pit_skip(out, "not booted by GRUB with /etc/default/grub");
	pit_want(out, "the configured arguments in force");
	if (!debian && has_cfg(root, "/etc/default/grub.d")) {
		pit_evidence(out, "/etc/default/grub.d", "only Debian and its children read this directory");
		return pit_bad(out, "/etc/default/grub.d is ignored here");
	}
	if (!debian)
		return pit_skip(out, "boot entries of this distribution have arguments of their own");
	rc = load_grub(root, true, &args, err);
	if (rc)
		return rc;
	add_missing(&args.all, cmdline, &missing, out);
	if (!pit_cmdline_get(cmdline, "single") && !pit_cmdline_get(cmdline, "recovery"))
		add_missing(&args.normal, cmdline, &missing, out);
	if (missing.count)
		return pit_bad(out, "not in force: %s", pit_offenders_text(&missing));
	return pit_pass(out, "all in force");
}

/* What follows the last '-' of a release: "amd64", "generic". */
static const char *flavour(const char *release)
{
	const char *dash = strrchr(release, '-');

	return dash ? dash + 1 : release;
}

/* The newest installed kernel of the running flavour; "" when the running one is not among them. */
static void newest_kernel(struct pit_root *root, const char *running, char *ret, size_t size)
{
	static const char prefix[] = "vmlinuz-";
	const struct pit_strv *names;
	bool known = false;

	*ret = '\0';
	if (pit_root_list(root, &names, "/boot")) /* sorted with numbers as numbers */
		return;
	for (size_t i = 0; i < names->count; i++) {
		const char *release = names->item[i] + sizeof(prefix) - 1;

		if (strncmp(names->item[i], prefix, sizeof(prefix) - 1) != 0 ||
		    strcmp(flavour(release), flavour(running)) != 0)
			continue;
		known |= !strcmp(release, running);
		snprintf(ret, size, "%s", release);
	}
	if (!known)
		*ret = '\0';
}

int pit_kernel_reboot(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		      struct pit_error *err)
{
	const char *flag = "/run/reboot-required";
	struct pit_root *root = pit_facts_root(facts);
	const struct pit_platform *p;
	char newest[96];
	struct pit_text text;
	int rc = pit_facts_platform(facts, &p, err);

	if (rc)
		return rc;
	pit_want(out, "no reboot outstanding");
	newest_kernel(root, p->kernel, newest, sizeof(newest));
	if (*newest && strcmp(newest, p->kernel) != 0)
		pit_evidence(out, "/boot", "%s is installed, %s runs", newest, p->kernel);
	if (!pit_root_exists(root, "%s", flag)) {
		pit_evidence(out, flag, "exists");
		if (!pit_root_read(root, &text, "%s.pkgs", flag))
			pit_evidence(out, "/run/reboot-required.pkgs", "%.*s", (int)strcspn(text.data, "\n"),
				     text.data);
		return pit_bad(out, "updates wait for a reboot");
	}
	if (*newest && strcmp(newest, p->kernel) != 0)
		return pit_bad(out, "%s waits, %s runs", newest, p->kernel);
	return pit_pass(out, "none");
}

/* The file that shows the release, or the call that told it where the file is hidden. */
static const char *release_source(struct pit_root *root, const char *release)
{
	static const char path[] = "/proc/sys/kernel/osrelease";
	char line[96];

	return !pit_root_str(root, line, sizeof(line), "%s", path) && !strcmp(line, release) ? path : "uname";
}

int pit_kernel_version(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	const struct pit_platform *p;
	int rc = pit_facts_platform(facts, &p, err);

	if (rc)
		return rc;
	if (!p->kernel_major)
		return pit_skip(out, "the version of the kernel is unknown");
	pit_want(out, "5.15 or later, or a distribution's kernel that carries its features");
	pit_evidence(out, release_source(pit_facts_root(facts), p->kernel), "%s", p->kernel);
	/* Red Hat's 5.14 has the features of later ones. */
	if (p->kernel_major > 5 || (p->kernel_major == 5 && p->kernel_minor >= 15) ||
	    (p->kernel_major == 5 && p->kernel_minor == 14 && strstr(p->kernel, ".el9")))
		return pit_pass(out, "%s", p->kernel);
	return pit_bad(out, "%s", p->kernel);
}

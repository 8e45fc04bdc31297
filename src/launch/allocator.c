/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fnmatch.h>
#include <link.h>
#include <string.h>

#include "base/words.h"
#include "launch/allocator.h"

#define DEPTH 4 /* files of ld.so.conf inside of each other */

static const struct allocator {
	const char *name;
	const char *files[3];     /* the first that is there is taken */
	const char *variables[3]; /* beside LD_PRELOAD */
	const char *package;
} allocators[] = {
	{.name = "jemalloc",
	 .files = {"libjemalloc.so.2"},
	 /* Memory goes back to the kernel 10 s after its last use, by threads of jemalloc's own. */
	 .variables = {"MALLOC_CONF=narenas:8,dirty_decay_ms:10000,muzzy_decay_ms:10000,background_thread:true"},
	 .package = "libjemalloc2 (Debian, Ubuntu) or jemalloc (RHEL with EPEL, Fedora)"},
	{.name = "tcmalloc",
	 /* The small one has the same allocator without the profilers and their libunwind. */
	 .files = {"libtcmalloc_minimal.so.4", "libtcmalloc.so.4"},
	 /* 512 MiB instead of 32 for the caches of all threads; memory is returned 16 times as eagerly as by default.
	  */
	 .variables = {"TCMALLOC_MAX_TOTAL_THREAD_CACHE_BYTES=536870912", "TCMALLOC_RELEASE_RATE=16"},
	 .package = "libtcmalloc-minimal4 (Debian 12, Ubuntu 22.04), libtcmalloc-minimal4t64 (later ones) or "
		    "gperftools-libs (RHEL with EPEL, Fedora)"},
	{.name = "system"},
};

/* This program's own header: libraries that it could load have the same kind. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

bool pit_allocator_fits(const void *bytes, size_t len)
{
	ElfW(Ehdr) h;

	if (len < sizeof(h))
		return false;
	memcpy(&h, bytes, sizeof(h));
	return !memcmp(h.e_ident, __ehdr_start.e_ident, EI_VERSION) && h.e_machine == __ehdr_start.e_machine &&
	       h.e_type == ET_DYN;
}

/* "include PATTERN...", or directories; "#" begins a comment. */
static int conf_line(const char *line, struct pit_strv *dirs, struct pit_strv *includes)
{
	pit_auto_strv struct pit_strv words = {0};
	int rc = pit_strv_split(&words, line, " \t:,\r");
	bool include = words.count && !strcmp(words.item[0], "include");

	for (size_t i = include; i < words.count && !rc; i++) {
		if (include)
			rc = pit_strv_add(includes, words.item[i]);
		else if (*words.item[i] == '/') /* not "hwcap 1 nosegneg" */
			rc = pit_strv_add_len(dirs, words.item[i], strcspn(words.item[i], "="));
	}
	return rc;
}

int pit_allocator_conf(const char *text, struct pit_strv *ret_dirs, struct pit_strv *ret_includes)
{
	int rc = 0;

	while (*text && !rc) {
		size_t len = strcspn(text, "\n");
		pit_auto_free char *line = strndup(text, len);

		if (!line)
			return -ENOMEM;
		line[strcspn(line, "#")] = '\0';
		rc = conf_line(line, ret_dirs, ret_includes);
		text += len + (text[len] == '\n');
	}
	return rc;
}

static int read_conf(struct pit_root *root, const char *path, int depth, struct pit_strv *dirs);

/* Files that a pattern means; only its last part may have wildcards, as everywhere in practice. */
static int read_includes(struct pit_root *root, const char *pattern, int depth, struct pit_strv *dirs)
{
	char dir[256], path[512];
	const char *last = strrchr(pattern, '/');
	const struct pit_strv *names;
	int rc = 0;

	snprintf(dir, sizeof(dir), "%s%.*s", *pattern == '/' ? "" : "/etc/", last ? (int)(last - pattern) : 0, pattern);
	if (pit_root_list(root, &names, "%s", dir))
		return 0;
	last = last ? last + 1 : pattern;
	for (size_t i = 0; i < names->count && !rc; i++) {
		if (fnmatch(last, names->item[i], FNM_PERIOD) ||
		    (size_t)snprintf(path, sizeof(path), "%s/%s", dir, names->item[i]) >= sizeof(path))
			continue;
		rc = read_conf(root, path, depth + 1, dirs);
	}
	return rc;
}

/* A file that cannot be read says nothing. */
static int read_conf(struct pit_root *root, const char *path, int depth, struct pit_strv *dirs)
{
	pit_auto_strv struct pit_strv includes = {0};
	struct pit_text text;
	int rc;

	if (depth > DEPTH || pit_root_read(root, &text, "%s", path))
		return 0;
	rc = pit_allocator_conf(text.data, dirs, &includes);
	for (size_t i = 0; i < includes.count && !rc; i++)
		rc = read_includes(root, includes.item[i], depth, dirs);
	return rc;
}

/* Where the loader looks: what ld.so.conf says, then the usual places of all distributions. */
static int list_dirs(struct pit_root *root, struct pit_strv *dirs)
{
	static const char *const usual[] = {
		"/lib/x86_64-linux-gnu",
		"/usr/lib/x86_64-linux-gnu",
		"/lib/aarch64-linux-gnu",
		"/usr/lib/aarch64-linux-gnu",
		"/lib/riscv64-linux-gnu",
		"/usr/lib/riscv64-linux-gnu",
		"/lib/powerpc64le-linux-gnu",
		"/usr/lib/powerpc64le-linux-gnu",
		"/lib64",
		"/usr/lib64",
		"/lib",
		"/usr/lib",
	};
	int rc = read_conf(root, "/etc/ld.so.conf", 0, dirs);

	for (size_t i = 0; i < PIT_COUNT(usual) && !rc; i++)
		rc = pit_strv_add(dirs, usual[i]);
	return rc;
}

/* The first of its files that this machine can load, as a path. -ENOENT. */
static int find_library(struct pit_root *root, const struct allocator *a, char *ret, size_t size, bool *ret_foreign)
{
	pit_auto_strv struct pit_strv dirs = {0};
	int rc = list_dirs(root, &dirs);

	if (rc)
		return rc;
	for (size_t f = 0; f < PIT_COUNT(a->files) && a->files[f]; f++)
		for (size_t i = 0; i < dirs.count; i++) {
			struct pit_text text;
			char path[512];

			/* LD_PRELOAD cannot name a path with these in it. */
			if (strpbrk(dirs.item[i], " :") ||
			    (size_t)snprintf(path, sizeof(path), "%s/%s", dirs.item[i], a->files[f]) >= sizeof(path) ||
			    pit_root_read(root, &text, "%s", path))
				continue;
			if (pit_allocator_fits(text.data, text.len)) {
				snprintf(ret, size, "%s", path);
				return 0;
			}
			*ret_foreign = true;
		}
	return -ENOENT;
}

int pit_allocator_find(struct pit_root *root, const char *name, struct pit_strv *ret, struct pit_error *err)
{
	pit_auto_strv struct pit_strv found = {0};
	const struct allocator *a = NULL;
	bool foreign = false;
	char path[512];
	int rc;

	for (size_t i = 0; i < PIT_COUNT(allocators); i++)
		if (!strcmp(allocators[i].name, name))
			a = &allocators[i];
	if (!a)
		return pit_fail(err, EINVAL, "no allocator '%.40s'; there are jemalloc, tcmalloc and system", name);
	if (!a->files[0])
		return 0;
	rc = find_library(root, a, path, sizeof(path), &foreign);
	if (rc == -ENOENT)
		return pit_fail(err, ENOENT, "--allocator %s: %s is %s; install %s", name, a->files[0],
				!pit_root_is_live(root) ? "not in this recording"
				: foreign               ? "here for another kind of machine only"
							: "not installed",
				a->package);
	rc = rc ? rc : pit_strv_addf(&found, "LD_PRELOAD=%s", path);
	for (size_t i = 0; i < PIT_COUNT(a->variables) && a->variables[i] && !rc; i++)
		rc = pit_strv_add(&found, a->variables[i]);
	for (size_t i = 0; i < found.count && !rc; i++)
		rc = pit_strv_add(ret, found.item[i]);
	return rc ? pit_fail(err, -rc, "out of memory") : 0;
}

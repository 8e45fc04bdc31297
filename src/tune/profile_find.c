/* SPDX-License-Identifier: MIT
 *
 * Profiles as files: where they lie, and which include which.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/path.h"
#include "tune/profile.h"
#include "tune/profile_trust.h"

#define SUFFIX ".ini"
#define DEEPEST 8
#define LARGEST ((off_t)1 << 20)

/* The directory of the running program with `below` behind it; "" when that is not known. */
static void beside_program(const char *below, char *ret, size_t size)
{
	char exe[4096];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash;

	exe[len > 0 ? len : 0] = '\0';
	slash = strrchr(exe, '/');
	*ret = '\0';
	if (slash)
		snprintf(ret, size, "%.*s/%s", (int)(slash - exe), exe, below);
}

/* The directories, the first that has a profile wins. */
static int directories(struct pit_strv *ret)
{
	char share[4200], here[4200];
	int rc;

	beside_program("../share/pitcrew/profiles", share, sizeof(share));
	beside_program("profiles", here, sizeof(here));
	rc = pit_strv_add(ret, "/etc/pitcrew/profiles");
	if (!rc && *share)
		rc = pit_strv_add(ret, share);
	if (!rc && *here)
		rc = pit_strv_add(ret, here);
	return rc ? rc : pit_strv_add(ret, PITCREW_DATADIR "/profiles");
}

static int read_open(int fd, const char *path, struct pit_buf *out, struct stat *ret_st, struct pit_error *err)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st))
		return pit_fail(err, errno, "cannot read %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return pit_fail(err, EINVAL, "%s is not a file", path);
	if (st.st_size > LARGEST)
		return pit_fail(err, EFBIG, "%s is larger than any profile", path);
	do {
		if (pit_buf_reserve(out, 4096))
			return pit_fail(err, ENOMEM, "out of memory");
		n = read(fd, out->data + out->len, 4096);
		out->len += n > 0 ? (size_t)n : 0;
	} while (n > 0 && out->len <= (size_t)LARGEST);
	if (n < 0)
		return pit_fail(err, errno, "cannot read %s: %s", path, strerror(errno));
	pit_buf_putc(out, '\0');
	if (strlen(out->data) + 1 != out->len)
		return pit_fail(err, EBADMSG, "%s is no text: it has NUL bytes", path);
	*ret_st = st;
	return out->failed ? pit_fail(err, ENOMEM, "out of memory") : 0;
}

static int read_file(const char *path, struct pit_buf *out, struct stat *ret_st, struct pit_error *err)
{
	pit_auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return pit_fail(err, errno, "cannot read the profile %s: %s", path, strerror(errno));
	return read_open(fd, path, out, ret_st, err);
}

static bool is_path(const char *word)
{
	return strchr(word, '/') || pit_ends_with(word, SUFFIX);
}

static bool is_name(const char *word)
{
	const char *c = word;

	for (; isalnum((unsigned char)*c) || (*c && strchr("-_.", *c)); c++)
		;
	return *word && !*c;
}

/* The names of one directory that are not yet in `ret` (pairs), with their summaries. What cannot be read is shown
 * without one: whoever loads it is told why. */
static int list_directory(const char *dir, struct pit_strv *ret)
{
	pit_auto_closedir DIR *d = opendir(dir);
	pit_auto_strv struct pit_strv names = {0};
	const struct dirent *e;
	int rc = 0;

	while (d && !rc && (e = readdir(d)))
		if (pit_ends_with(e->d_name, SUFFIX))
			rc = pit_strv_add_len(&names, e->d_name, strlen(e->d_name) - strlen(SUFFIX));
	pit_strv_sort(&names);
	for (size_t i = 0; i < names.count && !rc; i++) {
		pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
		struct pit_profile p = {0};
		pit_auto_free char *include = NULL;
		char path[8192];
		bool known = false;
		struct stat st;

		for (size_t j = 0; j < ret->count; j += 2)
			known |= !strcmp(ret->item[j], names.item[i]);
		snprintf(path, sizeof(path), "%s/%s" SUFFIX, dir, names.item[i]);
		if (known || !is_name(names.item[i]))
			continue;
		if (!read_file(path, &text, &st, NULL))
			(void)pit_profile_parse(text.data, path, &p, &include, NULL);
		rc = pit_strv_add(ret, names.item[i]);
		rc = rc ? rc : pit_strv_add(ret, p.summary ? p.summary : "");
		pit_profile_free(&p);
	}
	return rc;
}

int pit_profile_list(struct pit_strv *ret)
{
	pit_auto_strv struct pit_strv dirs = {0};
	int rc = directories(&dirs);

	for (size_t i = 0; i < dirs.count && !rc; i++)
		rc = list_directory(dirs.item[i], ret);
	return rc;
}

static int no_profile(const char *name, struct pit_error *err)
{
	pit_auto_strv struct pit_strv known = {0};
	pit_auto_buf struct pit_buf list = PIT_BUF_INIT;

	(void)pit_profile_list(&known);
	for (size_t i = 0; i + 1 < known.count; i += 2)
		pit_buf_printf(&list, "%s%s%s%s%s", i ? ", " : "", known.item[i], *known.item[i + 1] ? " (" : "",
			       known.item[i + 1], *known.item[i + 1] ? ")" : "");
	return pit_fail(err, ENOENT, "no profile is named '%.80s'; there are: %s", name,
			list.len ? list.data : "none, for the profiles were not installed");
}

/* The files that are being read, the outermost first, and what is found out about all that were. */
struct chain {
	const char *path[DEEPEST];
	int depth;
	struct pit_strv local;
	char *doubt;
};

static bool is_in(const struct chain *chain, const char *path)
{
	for (int i = 0; i < chain->depth; i++)
		if (!strcmp(chain->path[i], path))
			return true;
	return false;
}

/* The path of a word that is one: an include's is relative to the file that includes it. */
static int find_path(const char *word, const struct chain *chain, char *ret, size_t size, struct pit_error *err)
{
	pit_auto_free char *whole = NULL;
	const char *from = chain->depth ? chain->path[chain->depth - 1] : "";
	const char *slash = strrchr(from, '/');
	char path[8192];

	snprintf(path, sizeof(path), "%.*s%s", *word == '/' || !slash ? 0 : (int)(slash + 1 - from), from, word);
	whole = realpath(path, NULL);
	if (!whole)
		return pit_fail(err, errno, "cannot read the profile %s: %s", path, strerror(errno));
	if (is_in(chain, whole))
		return pit_fail(err, ELOOP, "%s includes itself", whole);
	snprintf(ret, size, "%s", whole);
	return 0;
}

/* The file of a name: the first that is not being read already. */
static int find_name(const char *name, const struct chain *chain, char *ret, size_t size, bool *ret_ours,
		     struct pit_error *err)
{
	pit_auto_strv struct pit_strv dirs = {0};
	bool circle = false;

	if (directories(&dirs))
		return pit_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < dirs.count; i++) {
		pit_auto_free char *whole = NULL;
		char path[8192];

		snprintf(path, sizeof(path), "%s/%s" SUFFIX, dirs.item[i], name);
		whole = realpath(path, NULL);
		if (!whole && errno != ENOENT && errno != ENOTDIR)
			return pit_fail(err, errno, "cannot read the profile %s: %s", path, strerror(errno));
		if (!whole)
			continue;
		circle |= is_in(chain, whole);
		if (is_in(chain, whole))
			continue;
		snprintf(ret, size, "%s", whole);
		*ret_ours = i > 0; /* the first directory is the administrator's */
		return 0;
	}
	return circle ? pit_fail(err, ELOOP, "profile %s includes itself", name) : no_profile(name, err);
}

/* Reads the file of a word into `text`; its name goes to `path`. */
static int open_word(const char *word, struct chain *chain, char *path, size_t size, struct pit_buf *text,
		     struct pit_error *err)
{
	bool ours = false;
	struct stat st;
	int rc = is_path(word) ? find_path(word, chain, path, size, err)
			       : find_name(word, chain, path, size, &ours, err);

	rc = rc ? rc : read_file(path, text, &st, err);
	if (rc)
		return rc;
	if (!ours)
		rc = pit_strv_add(&chain->local, path);
	if (!rc && !chain->doubt)
		rc = pit_profile_doubt(path, &st, &chain->doubt);
	return rc ? pit_fail(err, -rc, "out of memory") : 0;
}

static int load(const char *word, struct chain *chain, struct pit_profile *ret, struct pit_error *err)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	struct pit_profile part = {0}, below = {0};
	pit_auto_free char *include = NULL;
	char path[4096];
	int rc;

	if (chain->depth == DEEPEST)
		return pit_fail(err, ELOOP, "%s: profiles include each other more than %d deep", word, DEEPEST);
	if (!is_path(word) && !is_name(word))
		return pit_fail(err, EINVAL,
				"'%.80s' is no name of a profile (letters, digits, '-', '_', '.'); a path has a slash",
				word);
	rc = open_word(word, chain, path, sizeof(path), &text, err);
	rc = rc ? rc : pit_profile_parse(text.data, path, &part, &include, err);
	if (rc)
		return rc;
	chain->path[chain->depth++] = path;
	if (include)
		rc = pit_wrap(err, load(include, chain, &below, err), "%s includes %s", path, include);
	chain->depth--;
	if (!rc && pit_profile_merge(&below, &part))
		rc = pit_fail(err, ENOMEM, "out of memory");
	if (rc)
		pit_profile_free(&below);
	else
		*ret = below;
	pit_profile_free(&part);
	return rc;
}

int pit_profile_load(const char *name, struct pit_profile *ret, struct pit_error *err)
{
	struct pit_profile p = {0};
	struct chain chain = {0};
	int rc = load(name, &chain, &p, err);

	p.local = chain.local;
	p.doubt = chain.doubt;
	free(p.name);
	p.name = strdup(name);
	if (!rc && !p.name)
		rc = pit_fail(err, ENOMEM, "out of memory");
	if (rc)
		pit_profile_free(&p);
	else
		*ret = p;
	return rc;
}

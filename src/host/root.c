/* SPDX-License-Identifier: MIT */
#include "host/root.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/parse.h"
#include "base/strmap.h"
#include "host/answer.h"
#include "host/archive.h"

struct answer {
	enum pit_kind kind;
	int rc;
	struct pit_text text;
	struct pit_strv names; /* of a list, once asked for */
	int64_t when;          /* pit_now() of the reading */
};

struct pit_root {
	bool live;
	char *name;
	char *dir;
	struct pit_unpacked unpacked; /* of an archive */
	struct pit_recording recording;
	struct pit_deadline deadline;
	struct pit_strmap answers[PIT_KINDS]; /* path -> struct answer */
};

static const struct {
	int code;
	enum pit_state state;
} states[] = {
	{ENOENT, PIT_STATE_ABSENT},        {ENOTDIR, PIT_STATE_ABSENT},         {ENODEV, PIT_STATE_ABSENT},
	{ENXIO, PIT_STATE_ABSENT},         {ESRCH, PIT_STATE_ABSENT},           {ENOLINK, PIT_STATE_ABSENT},
	{EACCES, PIT_STATE_DENIED},        {EPERM, PIT_STATE_DENIED},           {EBADMSG, PIT_STATE_MALFORMED},
	{EINVAL, PIT_STATE_MALFORMED},     {ERANGE, PIT_STATE_MALFORMED},       {EFBIG, PIT_STATE_MALFORMED},
	{ETIMEDOUT, PIT_STATE_TIMED_OUT},  {EOPNOTSUPP, PIT_STATE_UNSUPPORTED}, {ENOSYS, PIT_STATE_UNSUPPORTED},
	{ENODATA, PIT_STATE_NOT_RECORDED},
};

static const char *const state_names[] = {
	[PIT_STATE_OK] = "ok",
	[PIT_STATE_ABSENT] = "absent",
	[PIT_STATE_DENIED] = "denied",
	[PIT_STATE_MALFORMED] = "malformed",
	[PIT_STATE_TIMED_OUT] = "timed out",
	[PIT_STATE_UNSUPPORTED] = "unsupported here",
	[PIT_STATE_NOT_RECORDED] = "not recorded",
	[PIT_STATE_ERROR] = "error",
};

enum pit_state pit_root_state(int rc)
{
	if (rc >= 0)
		return PIT_STATE_OK;
	for (size_t i = 0; i < PIT_COUNT(states); i++)
		if (states[i].code == -rc)
			return states[i].state;
	return PIT_STATE_ERROR;
}

const char *pit_state_name(enum pit_state state)
{
	return state_names[state];
}

static int open_recording(struct pit_root *r, const char *path, struct pit_error *err)
{
	struct stat st;
	int rc;

	if (stat(path, &st))
		return pit_fail(err, errno, "cannot open the recording %s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode)) {
		rc = pit_archive_unpack(path, &r->unpacked, err);
		if (rc)
			return rc;
	}
	r->dir = strdup(r->unpacked.dir ? r->unpacked.dir : path);
	if (!r->dir)
		return pit_fail(err, ENOMEM, "out of memory");
	return pit_recording_open(&r->recording, r->dir, err);
}

int pit_root_open(const char *path, struct pit_root **ret, struct pit_error *err)
{
	pit_auto_root struct pit_root *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return pit_fail(err, ENOMEM, "out of memory");
	r->live = !path;
	r->recording.fd = -1;
	r->unpacked = (struct pit_unpacked)PIT_UNPACKED_INIT;
	r->deadline = (struct pit_deadline){.helper = PIT_CHILD_INIT, .ms = 300};
	r->name = strdup(path ? path : "live");
	if (!r->name)
		return pit_fail(err, ENOMEM, "out of memory");
	rc = path ? open_recording(r, path, err) : 0;
	if (rc)
		return rc;
	*ret = pit_take(r);
	return 0;
}

static void drop_answer(void *value)
{
	struct answer *a = value;

	if (!a)
		return;
	free((char *)a->text.data);
	pit_strv_free(&a->names);
	free(a);
}

void pit_root_forget(struct pit_root *r)
{
	for (int k = 0; k < PIT_KINDS; k++)
		pit_strmap_free(&r->answers[k], drop_answer);
}

void pit_root_close(struct pit_root *r)
{
	int saved = errno;

	if (!r)
		return;
	pit_deadline_close(&r->deadline);
	pit_recording_close(&r->recording);
	pit_root_forget(r);
	pit_unpacked_free(&r->unpacked);
	free(r->name);
	free(r->dir);
	free(r);
	errno = saved;
}

bool pit_root_is_live(const struct pit_root *r)
{
	return r->live;
}

const char *pit_root_name(const struct pit_root *r)
{
	return r->name;
}

const char *pit_root_dir(const struct pit_root *r)
{
	return r->live ? "/" : r->dir;
}

void pit_root_end_helper(struct pit_root *r)
{
	pit_deadline_close(&r->deadline);
}

void pit_root_set_deadline(struct pit_root *r, int ms)
{
	r->deadline.ms = ms;
}

/* Keeps what `out` holds (or the failure `rc`) as the answer for `path`. NULL when memory runs out. */
static struct answer *keep(struct pit_root *r, enum pit_kind kind, const char *path, int rc, const struct pit_buf *out)
{
	struct answer *a = calloc(1, sizeof(*a));
	char *data = a ? malloc(rc ? 1 : out->len + 1) : NULL;

	if (!data || pit_strmap_put(&r->answers[kind], path, a)) {
		free(data);
		free(a);
		return NULL;
	}
	memcpy(data, rc ? "" : out->data, rc ? 1 : out->len + 1);
	*a = (struct answer){.kind = kind, .rc = rc, .text = {data, rc ? 0 : out->len}, .when = pit_now()};
	return a;
}

int pit_root_put(struct pit_root *r, enum pit_kind kind, const char *path, const void *bytes, size_t len)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

	pit_buf_add(&out, bytes, len);
	return !out.failed && keep(r, kind, path, 0, &out) ? 0 : -ENOMEM;
}

static int ask_machine(struct pit_root *r, enum pit_kind kind, const char *path, struct pit_buf *out)
{
	int rc;

	if (!r->live)
		rc = pit_answer_recorded(&r->recording, kind, path, out);
	else if (pit_may_block(kind, path))
		rc = pit_answer_deadline(&r->deadline, kind, path, out);
	else
		rc = pit_answer_live(kind, path, out);
	return !rc && out->failed ? -ENOMEM : rc;
}

/* The answer for `path`, asked for on the first call. Sets *ret also when its rc is negative. */
static int ask(struct pit_root *r, enum pit_kind kind, const char *path, struct answer **ret)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct answer *a = pit_strmap_get(&r->answers[kind], path);

	if (!a) {
		int rc = ask_machine(r, kind, path, &out);

		a = keep(r, kind, path, rc, &out);
	}
	if (!a)
		return -ENOMEM;
	*ret = a;
	return a->rc;
}

static int vask(struct pit_root *r, enum pit_kind kind, const char *fmt, va_list ap, struct answer **ret)
{
	char path[4096];

	if (vsnprintf(path, sizeof(path), fmt, ap) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return ask(r, kind, path, ret);
}

/* Fetches the answer for fmt... into `a` and its code into `rc`. */
#define ASK(root, kind, fmt, a, rc)                                                                                    \
	do {                                                                                                           \
		va_list ap_;                                                                                           \
		va_start(ap_, fmt);                                                                                    \
		(rc) = vask(root, kind, fmt, ap_, &(a));                                                               \
		va_end(ap_);                                                                                           \
	} while (0)

int pit_root_read(struct pit_root *root, struct pit_text *ret, const char *fmt, ...)
{
	struct answer *a = NULL;
	int rc;

	ASK(root, PIT_KIND_FILE, fmt, a, rc);
	if (!rc)
		*ret = a->text;
	return rc;
}

int pit_root_str(struct pit_root *root, char *ret, size_t size, const char *fmt, ...)
{
	struct answer *a = NULL;
	int rc;

	ASK(root, PIT_KIND_FILE, fmt, a, rc);
	if (!rc)
		pit_first_line(a->text.data, ret, size);
	return rc;
}

int pit_root_i64(struct pit_root *root, int64_t *ret, const char *fmt, ...)
{
	struct answer *a = NULL;
	int rc;

	ASK(root, PIT_KIND_FILE, fmt, a, rc);
	if (rc)
		return rc;
	return pit_parse_i64(a->text.data, ret) ? -EBADMSG : 0;
}

int pit_root_u64(struct pit_root *root, uint64_t *ret, const char *fmt, ...)
{
	struct answer *a = NULL;
	int rc;

	ASK(root, PIT_KIND_FILE, fmt, a, rc);
	if (rc)
		return rc;
	return pit_parse_u64(a->text.data, ret) ? -EBADMSG : 0;
}

int pit_root_hex(struct pit_root *root, uint64_t *ret, const char *fmt, ...)
{
	struct answer *a = NULL;
	int rc;

	ASK(root, PIT_KIND_FILE, fmt, a, rc);
	if (rc)
		return rc;
	return pit_parse_hex(a->text.data, ret) ? -EBADMSG : 0;
}

int pit_root_idset(struct pit_root *root, struct pit_idset *ret, const char *fmt, ...)
{
	struct answer *a = NULL;
	int rc;

	ASK(root, PIT_KIND_FILE, fmt, a, rc);
	if (rc)
		return rc;
	return pit_idset_parse(a->text.data, ret, NULL) ? -EBADMSG : 0;
}

int pit_root_list(struct pit_root *root, const struct pit_strv **ret, const char *fmt, ...)
{
	struct answer *a = NULL;
	int rc;

	ASK(root, PIT_KIND_LIST, fmt, a, rc);
	if (!rc && a->text.len && !a->names.count)
		rc = pit_strv_split(&a->names, a->text.data, "\n");
	if (!rc)
		*ret = &a->names;
	return rc;
}

int pit_root_link(struct pit_root *root, const char **ret, const char *fmt, ...)
{
	struct answer *a = NULL;
	int rc;

	ASK(root, PIT_KIND_LINK, fmt, a, rc);
	if (!rc)
		*ret = a->text.data;
	return rc;
}

int pit_root_exists(struct pit_root *root, const char *fmt, ...)
{
	struct answer *a = NULL;
	int rc;

	ASK(root, PIT_KIND_EXISTS, fmt, a, rc);
	return rc;
}

int pit_root_stat(struct pit_root *root, struct pit_stat *ret, const char *fmt, ...)
{
	struct answer *a = NULL;
	struct pit_stat st = {0};
	int rc;

	ASK(root, PIT_KIND_STAT, fmt, a, rc);
	if (rc)
		return rc;
	if (sscanf(a->text.data, "%o %" SCNd64 " %" SCNd64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNd64,
		   &st.mode, &st.uid, &st.gid, &st.size, &st.nlink, &st.dev, &st.rdev, &st.mtime) != 8)
		return -EBADMSG;
	*ret = st;
	return 0;
}

int pit_root_statfs(struct pit_root *root, struct pit_fsinfo *ret, const char *fmt, ...)
{
	struct answer *a = NULL;
	struct pit_fsinfo fs = {0};
	int rc;

	ASK(root, PIT_KIND_STATFS, fmt, a, rc);
	if (rc)
		return rc;
	if (sscanf(a->text.data,
		   "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64,
		   &fs.type, &fs.bsize, &fs.blocks, &fs.bfree, &fs.bavail, &fs.files, &fs.ffree, &fs.flags) != 8)
		return -EBADMSG;
	*ret = fs;
	return 0;
}

int pit_root_fact(struct pit_root *root, const char *name, pit_fact_fn make, void *arg, struct pit_text *ret)
{
	struct answer *a = pit_strmap_get(&root->answers[PIT_KIND_FACT], name);
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	int rc;

	if (!a) {
		rc = root->live ? make(name, arg, &out) : ask_machine(root, PIT_KIND_FACT, name, &out);
		a = keep(root, PIT_KIND_FACT, name, rc, &out);
	}
	if (!a)
		return -ENOMEM;
	if (!a->rc)
		*ret = a->text;
	return a->rc;
}

int64_t pit_root_when(struct pit_root *root, const char *path)
{
	const struct answer *a = pit_strmap_get(&root->answers[PIT_KIND_FILE], path);

	return a ? a->when : 0;
}

/* The live second reading with its age in front, as recordings hold it. */
static int read_again(struct pit_root *root, const char *path, struct pit_buf *out)
{
	struct answer *first = NULL;
	int rc = ask(root, PIT_KIND_FILE, path, &first);

	if (rc)
		return rc;
	pit_buf_printf(out, "interval_ns %" PRId64 "\n", pit_now() - first->when);
	return pit_answer_live(PIT_KIND_AGAIN, path, out);
}

int pit_root_again(struct pit_root *root, const char *path, struct pit_text *ret, int64_t *ret_ns)
{
	struct answer *a = pit_strmap_get(&root->answers[PIT_KIND_AGAIN], path);
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	int64_t ns;
	int skip = 0, rc;

	if (!a) {
		rc = root->live ? read_again(root, path, &out) : ask_machine(root, PIT_KIND_AGAIN, path, &out);
		a = keep(root, PIT_KIND_AGAIN, path, rc, &out);
	}
	if (!a)
		return -ENOMEM;
	if (a->rc)
		return a->rc;
	if (sscanf(a->text.data, "interval_ns %" SCNd64 "%n", &ns, &skip) != 1 || a->text.data[skip] != '\n' || ns <= 0)
		return -EBADMSG;
	*ret = (struct pit_text){a->text.data + skip + 1, a->text.len - (size_t)skip - 1};
	if (ret_ns)
		*ret_ns = ns;
	return 0;
}

int pit_root_read_secret(struct pit_root *root, const char *path, struct pit_buf *out)
{
	return root->live ? ask_machine(root, PIT_KIND_FILE, path, out) : -ENODATA;
}

int pit_root_each(struct pit_root *root, pit_root_each_fn fn, void *arg)
{
	for (int k = 0; k < PIT_KINDS; k++) {
		const struct pit_strmap *m = &root->answers[k];

		for (size_t i = 0; i < m->slots; i++) {
			const struct answer *a = m->slot[i].value;
			int rc = m->slot[i].key ? fn(pit_kind_names[k], m->slot[i].key, a->rc, &a->text, arg) : 0;

			if (rc)
				return rc;
		}
	}
	return 0;
}

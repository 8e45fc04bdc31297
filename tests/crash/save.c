/* SPDX-License-Identifier: MIT
 *
 * Saves one state after the other until it fails or is killed, and tells afterwards which one is there:
 *
 *	crash_save save MODE DIR [key=value]...    prints "begin G" and "end G" around each save of state number G
 *	crash_save steps MODE DIR [key=value]...   one save; prints the names of the calls that change something
 *	crash_save verify MODE DIR                 prints "state G", "missing" or "damaged: why"
 *
 * MODE: file (pit_save_file), checkpoint (put and commit, the last two stay), async (the same behind the back), and
 *what others do: inplace (opens the old file for writing, as torch.save does), rename (a new file, renamed, without
 *fsync).
 *
 * from=G (1) is the first number, count=N (0: no end), bytes=N (4 MiB, about), engine= and cache= as in tests/bench,
 *cut=N shuts the file system down before call number N of the second save.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "pitcrew/pitcrew.h"
#include "tests/crash/state.h"
#include "tests/fake/io_faults.h"

#define FS_IOC_SHUTDOWN _IOR('X', 125, uint32_t)
#define NO_LOG_FLUSH 2 /* what the journal has not written yet is lost, as in a power cut */

struct saver {
	const char *mode, *dir;
	char **words;
	char path[4096];
	struct pit_save_want file;
	struct pit_checkpoint *c;
	int64_t cut; /* number of the call; -1: none */
	uint64_t first, now;
};

static const char *word(char **words, const char *key, const char *other)
{
	size_t len = strlen(key);

	for (; *words; words++)
		if (!strncmp(*words, key, len) && (*words)[len] == '=')
			return *words + len + 1;
	return other;
}

static uint64_t number(char **words, const char *key, uint64_t other)
{
	const char *text = word(words, key, NULL);

	return text ? strtoull(text, NULL, 10) : other;
}

static void say(const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (write(STDOUT_FILENO, line, strlen(line)) < 0)
		exit(3);
}

static bool is(const struct saver *s, const char *mode)
{
	return !strcmp(s->mode, mode);
}

/* ---- cuts ---- */

static void shut_down(const char *dir)
{
	pit_auto_close int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint32_t how = NO_LOG_FLUSH;

	if (ioctl(fd, FS_IOC_SHUTDOWN, &how))
		say("error: FS_IOC_SHUTDOWN: %s\n", strerror(errno));
}

static void at_step(void *arg, unsigned n, const char *name)
{
	const struct saver *s = arg;

	io_faults_spare(true); /* what we do here is no step */
	if (s->cut < 0) {
		say("step %s\n", name);
	} else if (n == (uint64_t)s->cut) {
		say("cut %s\n", name);
		shut_down(s->dir);
	}
	io_faults_spare(false);
}

/* ---- saving ---- */

static int save_file(struct saver *s, uint64_t g, struct pit_error *err)
{
	struct state state;
	char text[32];
	struct pit_save_text said = {.key = "generation", .value = text};
	struct pit_save_want want = s->file;
	int rc;

	snprintf(text, sizeof(text), "%" PRIu64, g);
	want.texts = &said;
	want.text_count = 1;
	state_make(&state, g, number(s->words, "bytes", 4 << 20));
	rc = pit_save_file(s->path, state.tensors, STATE_TENSORS, &want, err);
	state_free(&state);
	return rc;
}

static int save_checkpoint(struct saver *s, uint64_t g, struct pit_error *err)
{
	bool behind = is(s, "async");
	struct state state;
	char text[64];
	int rc;

	snprintf(text, sizeof(text), "{\"generation\":%" PRIu64 "}", g);
	state_make(&state, g, number(s->words, "bytes", 4 << 20));
	rc = pit_checkpoint_put(s->c, g, state.tensors, STATE_TENSORS, behind ? PIT_SAVE_COPY : PIT_SAVE_DURABLE, err);
	if (!rc)
		rc = pit_checkpoint_commit(s->c, g, NULL, text, 0, err);
	if (!rc)
		rc = pit_checkpoint_wait(s->c, err);
	state_free(&state);
	return rc;
}

static int sync_directory(const char *dir, struct pit_error *err)
{
	pit_auto_close int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fsync(fd) ? pit_fail(err, errno, "fsync") : 0;
}

/* What others do. The whole state is one run of bytes with its number in front. */
static int save_plain(struct saver *s, uint64_t g, struct pit_error *err)
{
	pit_auto_buf struct pit_buf b = PIT_BUF_INIT;
	char temporary[sizeof(s->path) + 8];
	const char *to = s->path;
	pit_auto_close int fd = -1;
	struct state state;

	state_make(&state, g, number(s->words, "bytes", 4 << 20));
	pit_buf_add(&b, &g, sizeof(g));
	for (size_t i = 0; i < STATE_TENSORS; i++)
		pit_buf_add(&b, state.tensors[i].data, state.tensors[i].tensor.bytes);
	state_free(&state);
	snprintf(temporary, sizeof(temporary), "%s.tmp", s->path);
	if (!is(s, "inplace"))
		to = temporary;
	fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	for (size_t at = 0; at < b.len;) {
		ssize_t n = fd < 0 ? -1 : write(fd, b.data + at, b.len - at);

		if (n < 0)
			return pit_fail(err, errno, "%s", to);
		at += (size_t)n;
	}
	if (to != s->path && rename(to, s->path))
		return pit_fail(err, errno, "rename");
	return is(s, "dirsync") ? sync_directory(s->dir, err) : 0;
}

static int save(struct saver *s, uint64_t g, struct pit_error *err)
{
	if (is(s, "file"))
		return save_file(s, g, err);
	if (is(s, "checkpoint") || is(s, "async"))
		return save_checkpoint(s, g, err);
	return save_plain(s, g, err);
}

static int start(struct saver *s, struct pit_error *err)
{
	static const char *const engines[] = {"auto", "fixed", "uring", "threads"};
	static const char *const caches[] = {"auto", "direct", "dontcache", "buffered"};
	struct pit_checkpoint_want want = {.size = sizeof(want), .keep = 2};

	for (unsigned i = 0; i < 4; i++) {
		if (!strcmp(word(s->words, "engine", "auto"), engines[i]))
			s->file.io.engine = i;
		if (!strcmp(word(s->words, "cache", "auto"), caches[i]))
			s->file.io.cache = i;
	}
	s->file.size = sizeof(s->file);
	want.io = s->file.io;
	if (is(s, "checkpoint") || is(s, "async"))
		return pit_checkpoint_open(s->path, &want, &s->c, err);
	return 0;
}

static int run(struct saver *s, bool steps)
{
	struct pit_error err = PIT_ERROR_INIT;
	uint64_t count = number(s->words, "count", 0), at = number(s->words, "at", 2);
	int rc = start(s, &err);

	s->cut = steps ? -1 : (int64_t)number(s->words, "cut", INT64_MAX);
	s->first = number(s->words, "from", 1);
	for (s->now = s->first; !rc && (!count || s->now < s->first + count); s->now++) {
		say("begin %" PRIu64 "\n", s->now);
		if ((steps || s->cut != INT64_MAX) && s->now == s->first + at - 1)
			io_faults_watch(s->dir, at_step, s);
		rc = save(s, s->now, &err);
		io_faults_watch("", NULL, NULL);
		if (!rc)
			say("end %" PRIu64 "\n", s->now);
	}
	if (rc)
		say("failed %s (%s)\n", err.text, strerror(-rc));
	pit_checkpoint_close(s->c, NULL);
	return rc ? 1 : 0;
}

/* ---- afterwards ---- */

/* 0, or -EBADMSG with what is wrong. */
static int check_tensors(const char *path, uint64_t g, struct pit_error *err)
{
	struct pit_weights *w = NULL;
	int rc = pit_weights_open(path, &w, err);

	if (!rc)
		rc = state_compare(w, g, err);
	pit_weights_close(w);
	return rc;
}

static int look_file(const struct saver *s, uint64_t *ret, struct pit_error *err)
{
	struct pit_weights *w = NULL;
	const char *text;
	int rc = pit_weights_open(s->path, &w, err);

	if (rc)
		return rc;
	text = pit_weights_metadata_of(w, 0, "generation");
	*ret = text ? strtoull(text, NULL, 10) : 0;
	pit_weights_close(w);
	return check_tensors(s->path, *ret, err);
}

/* All complete checkpoints must be sound, not only the one that is offered. */
static int look_checkpoints(const struct saver *s, uint64_t *ret, struct pit_error *err)
{
	pit_auto_free uint64_t *steps = NULL;
	struct pit_manifest *m = NULL;
	char wanted[64];
	size_t count = 0;
	int rc = pit_manifest_open(s->path, -1, &m, err);

	if (rc)
		return rc;
	*ret = pit_manifest_step(m);
	pit_manifest_close(m);
	rc = pit_checkpoint_list(s->path, &steps, &count, err);
	if (!rc && (!count || steps[count - 1] != *ret))
		rc = pit_fail(err, EBADMSG, "the newest of the list is not the one that is opened");
	for (size_t i = 0; !rc && i < count; i++) {
		m = NULL;
		if ((rc = pit_manifest_open(s->path, (int64_t)steps[i], &m, err)))
			break;
		snprintf(wanted, sizeof(wanted), "{\"generation\":%" PRIu64 "}", steps[i]);
		if (!pit_manifest_extra(m) || strcmp(pit_manifest_extra(m), wanted))
			rc = pit_fail(err, EBADMSG, "step %" PRIu64 " has other words beside it", steps[i]);
		else
			rc = check_tensors(pit_manifest_path(m), steps[i], err);
		pit_manifest_close(m);
	}
	return rc;
}

static int look_plain(const struct saver *s, uint64_t *ret, struct pit_error *err)
{
	pit_auto_fclose FILE *f = fopen(s->path, "re");
	struct state state;
	uint64_t g = 0;
	int rc = 0;

	if (!f)
		return pit_fail(err, errno, "open");
	if (fread(&g, 1, sizeof(g), f) != sizeof(g))
		return pit_fail(err, EBADMSG, "empty, or almost");
	state_make(&state, g, number(s->words, "bytes", 4 << 20));
	for (size_t i = 0; !rc && i < STATE_TENSORS; i++) {
		uint64_t len = state.tensors[i].tensor.bytes;
		pit_auto_free char *bytes = malloc(len);

		if (!bytes || fread(bytes, 1, len, f) != len)
			rc = pit_fail(err, EBADMSG, "cut off");
		else if (memcmp(bytes, state.tensors[i].data, len))
			rc = pit_fail(err, EBADMSG, "bytes of state %" PRIu64 " are not those", g);
	}
	state_free(&state);
	*ret = g;
	return rc;
}

static int verify(const struct saver *s)
{
	struct pit_error err = PIT_ERROR_INIT;
	uint64_t g = 0;
	int rc = is(s, "file")                           ? look_file(s, &g, &err)
		 : is(s, "checkpoint") || is(s, "async") ? look_checkpoints(s, &g, &err)
							 : look_plain(s, &g, &err);

	if (rc == -ENOENT)
		say("missing\n");
	else if (rc)
		say("damaged: %s\n", err.text);
	else
		say("state %" PRIu64 "\n", g);
	return 0;
}

int main(int argc, char **argv)
{
	static const char *const modes[] = {"file", "checkpoint", "async", "inplace", "rename", "dirsync"};
	struct saver s = {0};
	bool known = false;

	for (size_t i = 0; argc > 3 && i < PIT_COUNT(modes); i++)
		known |= !strcmp(argv[2], modes[i]);
	if (!known) {
		say("usage: crash_save save|steps|verify MODE DIR [key=value]...\n");
		return 2;
	}
	s.mode = argv[2];
	s.dir = argv[3];
	s.words = argv + 4;
	snprintf(s.path, sizeof(s.path), "%s/%s", s.dir, is(&s, "checkpoint") || is(&s, "async") ? "run" : "state");
	if (!strcmp(argv[1], "verify"))
		return verify(&s);
	return run(&s, !strcmp(argv[1], "steps"));
}

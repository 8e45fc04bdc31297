/* SPDX-License-Identifier: MIT
 *
 * What units of ours call: the settings of a file once more at boot, and a latency that is held.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>

#include "base/parse.h"
#include "cli/tune.h"
#include "tune/profile.h"

static int complain(const char *what, const struct pit_error *err)
{
	fprintf(stderr, "pitcrew tune boot: %s: %s\n", what, err->text[0] ? err->text : strerror(err->code));
	return 1;
}

/* Sets one value that is not there yet and reads it back. Returns how many failed. */
static int set(struct pit_place *place, const struct pit_knob *knob, const struct pit_wish *wish)
{
	struct pit_error err = PIT_ERROR_INIT;
	pit_auto_free char *old = NULL, *now = NULL;
	char name[512];
	int rc;

	pit_cell_name(&wish->cell, name, sizeof(name));
	rc = pit_cell_read(pit_place_now(place), &wish->cell, &old, &err);
	if (!rc && pit_value_equal(wish->cell.kind, old, wish->value))
		return 0;
	if (!rc)
		rc = pit_cell_write(place, &wish->cell, wish->value, &err);
	if (!rc)
		rc = pit_cell_read(pit_place_now(place), &wish->cell, &now, &err);
	if (!rc && !knob->rounds && !pit_value_equal(wish->cell.kind, now, wish->value))
		rc = pit_fail(&err, EPROTO, "wrote %s, the kernel says %s", wish->value ? wish->value : "nothing",
			      now ? now : "nothing");
	return rc ? complain(name, &err) : 0;
}

/* Only what the running kernel or driver holds: files are there already. */
static int set_all(struct pit_place *place, const struct pit_setting *setting, struct pit_scene *scene)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_wishes w = {0};
	int failed = 0;

	if (pit_knob_wishes(setting, scene, &w, &err))
		failed = complain(setting->where, &err);
	for (size_t i = 0; i < w.wishes; i++) {
		const struct pit_wish *wish = &w.wish[i];

		if (!wish->refuse && pit_target(wish->cell.target)->runtime)
			failed += set(place, setting->knob, wish);
		else if (wish->refuse)
			fprintf(stderr, "pitcrew tune boot: %s is left alone: %s\n", setting->knob->id, wish->refuse);
	}
	if (w.absent)
		fprintf(stderr, "pitcrew tune boot: %s is left alone: %s\n", setting->knob->id, w.absent);
	pit_wishes_free(&w);
	return failed;
}

/* A scene of its own for each setting: what one sets another may read. */
static int set_profile(struct pit_place *place, const struct pit_profile *profile, struct pit_error *err)
{
	int failed = 0, rc = 0;

	for (size_t i = 0; i < profile->settings && !rc; i++) {
		struct pit_scene *scene = NULL;

		rc = pit_scene_new(pit_place_now(place), &scene, err);
		if (!rc)
			failed += set_all(place, &profile->setting[i], scene);
		pit_scene_free(scene);
	}
	return rc ? rc : failed;
}

static int run_boot(int argc, char **argv)
{
	pit_auto_place struct pit_place *place = NULL;
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_profile profile = {0};
	int rc;

	if (argc != 2 || argv[1][0] != '/') {
		fputs("Usage: pitcrew tune boot FILE\nThe units of `pitcrew tune apply --persist` call it; FILE is an "
		      "absolute path.\n",
		      stderr);
		return PIT_EXIT_USAGE;
	}
	rc = pit_place_open(&place, &err);
	if (!rc)
		rc = pit_profile_load(argv[1], &profile, &err);
	if (!rc)
		rc = set_profile(place, &profile, &err);
	pit_profile_free(&profile);
	if (rc < 0)
		return pit_cli_fail(&err);
	return rc ? PIT_EXIT_CANNOT : PIT_EXIT_OK;
}

static int open_latency(int32_t us, struct pit_error *err)
{
	static const char path[] = "/dev/cpu_dma_latency";
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return pit_fail(err, errno, "cannot open %s: %s", path, strerror(errno));
	if (write(fd, &us, sizeof(us)) == sizeof(us))
		return fd;
	pit_fail(err, errno, "cannot write %d us to %s: %s", us, path, strerror(errno));
	close(fd);
	return -err->code;
}

/* The kernel keeps the latency for as long as the file is open: until a signal comes, or somebody removes `file`, as a
 * revert does. */
static int hold(int32_t us, const char *file, struct pit_error *err)
{
	pit_auto_close int fd = -1, ends = -1, watch = inotify_init1(IN_CLOEXEC);
	struct pollfd wait[2];
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	ends = signalfd(-1, &set, SFD_CLOEXEC);
	if (watch < 0 || ends < 0 || inotify_add_watch(watch, file, IN_DELETE_SELF | IN_MOVE_SELF) < 0)
		return pit_fail(err, errno, "cannot watch %s: %s", file, strerror(errno));
	fd = open_latency(us, err);
	if (fd < 0)
		return fd;
	wait[0] = (struct pollfd){.fd = ends, .events = POLLIN};
	wait[1] = (struct pollfd){.fd = watch, .events = POLLIN};
	while (poll(wait, PIT_COUNT(wait), -1) < 0)
		if (errno != EINTR)
			return pit_fail(err, errno, "cannot wait: %s", strerror(errno));
	return 0;
}

static int run_hold_latency(int argc, char **argv)
{
	struct pit_error err = PIT_ERROR_INIT;
	uint64_t us;

	if (argc != 3 || pit_parse_u64(argv[1], &us) || us > INT32_MAX) {
		fputs("Usage: pitcrew tune hold-latency MICROSECONDS FILE\nThe units of `pitcrew tune apply --persist` "
		      "call it; it ends when FILE is removed.\n",
		      stderr);
		return PIT_EXIT_USAGE;
	}
	return hold((int32_t)us, argv[2], &err) ? pit_cli_fail(&err) : PIT_EXIT_OK;
}

const struct pit_cmd pit_tune_boot = {
	.name = "boot", .summary = "set what a file of ours says (for units)", .run = run_boot};
const struct pit_cmd pit_tune_hold_latency = {
	.name = "hold-latency", .summary = "hold a wake-up latency (for units)", .run = run_hold_latency};

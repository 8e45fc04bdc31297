/* SPDX-License-Identifier: MIT
 *
 * Swap devices and files, by swapon(2) and swapoff(2). Priorities that the kernel gave itself (below 0) follow from the
 * order of switching on: they come back exactly when what was switched off last is switched on first.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/swap.h>

#include "base/clock.h"
#include "base/parse.h"
#include "base/words.h"
#include "host/child.h"
#include "tune/swaps.h"
#include "tune/target.h"

/* How long switching off may take: reading all pages back at the pace of a slow disk. */
#define LEAST_SECONDS 120
#define MOST_SECONDS 1800
#define SLOW_DISK (UINT64_C(10) << 20) /* bytes a second */

static int read_swap(struct pit_root *root, const struct pit_cell *cell, char **ret, struct pit_error *err)
{
	pit_auto_swaps struct pit_swaps swaps = {0};
	const struct pit_swap *s;
	char *value = NULL;
	int rc = pit_swaps_load(root, &swaps, err);

	if (rc)
		return rc;
	s = pit_swaps_find(&swaps, cell->object);
	if (s && asprintf(&value, "priority %d", s->priority) < 0)
		return pit_fail(err, ENOMEM, "out of memory");
	*ret = value;
	return 0;
}

static void swap_off(int fd, const void *arg)
{
	int rc = swapoff(arg) ? -errno : 0;

	(void)pit_child_write(fd, &rc, sizeof(rc));
}

/* In a child, because it may take minutes: killed, it leaves the device on. */
static int off_within(const char *name, uint64_t seconds, struct pit_error *err)
{
	const struct pit_child_job job = {.name = "pit-swapoff", .run = swap_off, .arg = name};
	pit_auto_child struct pit_child child = PIT_CHILD_INIT;
	pit_auto_buf struct pit_buf answer = PIT_BUF_INIT;
	int64_t until = pit_now() + (int64_t)seconds * 1000 * PIT_MS;
	int result, rc = pit_child_start(&job, &child);

	while (rc >= 0 && answer.len < sizeof(result)) {
		rc = pit_child_read(&child, until, sizeof(result), &answer);
		rc = rc ? rc : -EINTR;
	}
	if (rc == -ETIMEDOUT)
		return pit_fail(err, ETIMEDOUT, "%s: switching it off took more than %" PRIu64 " s; it stays on", name,
				seconds);
	if (rc < 0)
		return pit_fail(err, -rc, "%s: switching it off was interrupted; it stays on", name);
	memcpy(&result, answer.data, sizeof(result));
	return result ? pit_fail(err, -result, "swapoff %s: %s", name, strerror(-result)) : 0;
}

static int off(struct pit_place *place, const char *name, struct pit_error *err)
{
	pit_auto_swaps struct pit_swaps swaps = {0};
	struct pit_root *root = pit_place_now(place);
	const struct pit_swap *s;
	uint64_t seconds;
	int rc = pit_swaps_load(root, &swaps, err);

	if (rc)
		return rc;
	s = pit_swaps_find(&swaps, name);
	if (!s)
		return 0;
	rc = pit_swap_fits(root, s->used, err);
	if (rc)
		return pit_wrap(err, rc, "%s stays on", name);
	seconds = LEAST_SECONDS + s->used / SLOW_DISK;
	return off_within(name, seconds < MOST_SECONDS ? seconds : MOST_SECONDS, err);
}

/* The flags of a priority and of what fstab says about discarding. */
static int flags_for(struct pit_root *root, const char *name, int64_t priority)
{
	char options[512];
	int flags = priority < 0 ? 0 : SWAP_FLAG_PREFER | (int)(priority << SWAP_FLAG_PRIO_SHIFT & SWAP_FLAG_PRIO_MASK);
	int discard = 0;

	pit_swap_fstab(root, name, options, sizeof(options));
	if (pit_words_have(options, ",", "discard"))
		discard = SWAP_FLAG_DISCARD;
	if (pit_words_have(options, ",", "discard=once"))
		discard = SWAP_FLAG_DISCARD | 0x20000; /* SWAP_FLAG_DISCARD_ONCE of linux/swap.h */
	if (pit_words_have(options, ",", "discard=pages"))
		discard = SWAP_FLAG_DISCARD | 0x40000; /* SWAP_FLAG_DISCARD_PAGES */
	return flags | discard;
}

static int parse_value(const char *value, int64_t *ret, struct pit_error *err)
{
	static const char word[] = "priority ";

	if (strncmp(value, word, strlen(word)) != 0 || pit_parse_i64(value + strlen(word), ret) || *ret < INT16_MIN ||
	    *ret > INT16_MAX)
		return pit_fail(err, EINVAL, "'%s' is no state of swap; it is 'priority N'", value);
	return 0;
}

static int write_swap(struct pit_place *place, const struct pit_cell *cell, const char *value, struct pit_error *err)
{
	int64_t priority;
	int rc = value ? parse_value(value, &priority, err) : 0;

	if (rc)
		return rc;
	if (!pit_place_is_live(place))
		return pit_fail(err, EOPNOTSUPP, "swap %s cannot be rehearsed", cell->object);
	if (!value)
		return off(place, cell->object, err);
	if (swapon(cell->object, flags_for(pit_place_root(place), cell->object, priority)))
		return pit_fail(err, errno, "swapon %s: %s", cell->object, strerror(errno));
	return 0;
}

static void shell_swap(const struct pit_cell *cell, const char *value, struct pit_buf *out)
{
	int64_t priority;

	pit_buf_puts(out, value ? "swapon " : "swapoff ");
	if (value && !parse_value(value, &priority, NULL) && priority >= 0)
		pit_buf_printf(out, "-p %" PRId64 " ", priority);
	pit_shell_quote(cell->object, out);
	pit_buf_putc(out, '\n');
}

const struct pit_target pit_target_swap = {
	.name = "swap",
	.runtime = true,
	.read = read_swap,
	.write = write_swap,
	.shell = shell_swap,
};

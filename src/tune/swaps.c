/* SPDX-License-Identifier: MIT */
#include "tune/swaps.h"

#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "base/path.h"
#include "host/conf_files.h"
#include "host/procfs.h"

#define MARGIN_LEAST (UINT64_C(64) << 20)
#define MARGIN_SHARE 50 /* of all memory: a fiftieth */

/* Decodes \ooo in place. */
static void decode(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		unsigned code;

		if (from[0] == '\\' && sscanf(from + 1, "%3o", &code) == 1 && strspn(from + 1, "01234567") >= 3 &&
		    code && code < 256) {
			*to = (char)code;
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/* "NAME TYPE SIZE USED PRIORITY", sizes in KiB. */
static int parse_line(const char *line, struct pit_swap *ret)
{
	static const char gone[] = "\\040(deleted)";
	char size[24], used[24], priority[16], more[2];
	struct pit_swap s = {0};
	int64_t number;
	pit_auto_free char *name = NULL;

	if (sscanf(line, "%ms %*15s %23s %23s %15s %1s", &name, size, used, priority, more) != 4 || !*name ||
	    pit_parse_u64(size, &s.size) || pit_parse_u64(used, &s.used) || pit_parse_i64(priority, &number) ||
	    number < INT16_MIN || number > INT16_MAX || s.size > UINT64_MAX >> 10 || s.used > s.size)
		return -EBADMSG;
	s.size <<= 10;
	s.used <<= 10;
	s.priority = (int)number;
	s.deleted = pit_ends_with(name, gone);
	if (s.deleted)
		name[strlen(name) - strlen(gone)] = '\0';
	decode(name);
	s.compressed = !strncmp(name, "/dev/zram", 9);
	s.name = pit_take(name);
	*ret = s;
	return 0;
}

static int add(struct pit_swaps *s, const char *line)
{
	struct pit_swap *grown = reallocarray(s->item, s->count + 1, sizeof(*grown));
	int rc;

	if (!grown)
		return -ENOMEM;
	s->item = grown;
	rc = parse_line(line, &grown[s->count]);
	s->count += !rc;
	return rc;
}

int pit_swaps_parse(const char *text, struct pit_swaps *ret, struct pit_error *err)
{
	pit_auto_swaps struct pit_swaps s = {0};
	pit_auto_strv struct pit_strv lines = {0};
	int rc = pit_strv_split(&lines, text, "\n");

	if (rc)
		return pit_fail(err, -rc, "out of memory");
	for (size_t i = 0; i < lines.count; i++) {
		if (!i && !strncmp(lines.item[i], "Filename", 8))
			continue;
		rc = add(&s, lines.item[i]);
		if (rc)
			return pit_fail(err, -rc, "/proc/swaps: cannot read '%.80s'", lines.item[i]);
	}
	*ret = s;
	s = (struct pit_swaps){0};
	return 0;
}

int pit_swaps_load(struct pit_root *root, struct pit_swaps *ret, struct pit_error *err)
{
	struct pit_text text;
	int rc = pit_root_read(root, &text, "/proc/swaps");

	if (rc == -ENOENT)
		return pit_fail(err, ENOENT, "this kernel has no swap");
	if (rc)
		return pit_fail(err, -rc, "/proc/swaps: %s", strerror(-rc));
	return pit_swaps_parse(text.data, ret, err);
}

void pit_swaps_free(struct pit_swaps *s)
{
	int saved = errno;

	for (size_t i = 0; i < s->count; i++)
		free(s->item[i].name);
	free(s->item);
	*s = (struct pit_swaps){0};
	errno = saved;
}

const struct pit_swap *pit_swaps_find(const struct pit_swaps *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (!strcmp(s->item[i].name, name))
			return &s->item[i];
	return NULL;
}

int pit_swap_fits(struct pit_root *root, uint64_t used, struct pit_error *err)
{
	uint64_t total, available, margin;
	char a[32], b[32], c[32];
	struct pit_text text;
	int rc = pit_root_read(root, &text, "/proc/meminfo");

	rc = rc ? rc : pit_kv_u64(text.data, "MemTotal", &total);
	rc = rc ? rc : pit_kv_u64(text.data, "MemAvailable", &available);
	if (rc)
		return pit_fail(err, rc == -ENOMEM ? EIO : -rc, "/proc/meminfo does not say how much memory is free");
	margin = total / MARGIN_SHARE << 10;
	if (margin < MARGIN_LEAST)
		margin = MARGIN_LEAST;
	if (available <= UINT64_MAX >> 10 && available << 10 >= margin && (available << 10) - margin >= used)
		return 0;
	return pit_fail(err, ENOMEM, "%s in swap and a margin of %s do not fit into the %s of memory that are free",
			pit_format_size(used, a, sizeof(a)), pit_format_size(margin, b, sizeof(b)),
			pit_format_size(available << 10, c, sizeof(c)));
}

/* True when `spec` of fstab means the device or file `name`. */
static bool means(struct pit_root *root, const char *spec, const char *name)
{
	static const struct {
		const char *tag, *dir;
	} tags[] = {
		{.tag = "UUID=", .dir = "/dev/disk/by-uuid"},
		{.tag = "LABEL=", .dir = "/dev/disk/by-label"},
		{.tag = "PARTUUID=", .dir = "/dev/disk/by-partuuid"},
		{.tag = "PARTLABEL=", .dir = "/dev/disk/by-partlabel"},
	};
	const char *target;

	if (!strcmp(spec, name))
		return true;
	for (size_t i = 0; i < PIT_COUNT(tags); i++) {
		size_t len = strlen(tags[i].tag);

		if (!strncmp(spec, tags[i].tag, len))
			return !pit_root_link(root, &target, "%s/%s", tags[i].dir, spec + len) &&
			       !strcmp(pit_base_name(target), pit_base_name(name));
	}
	return !strncmp(spec, "/dev/", 5) && !strncmp(name, "/dev/", 5) && !pit_root_link(root, &target, "%s", spec) &&
	       !strcmp(pit_base_name(target), pit_base_name(name));
}

void pit_swap_fstab(struct pit_root *root, const char *name, char *ret, size_t size)
{
	char line[1024], spec[512], type[32], options[512];
	struct pit_text text;
	const char *at;

	*ret = '\0';
	if (pit_root_read(root, &text, "/etc/fstab"))
		return;
	for (at = text.data; pit_conf_line(&at, line, sizeof(line));) {
		if (*line == '#' || sscanf(line, "%511s %*s %31s %511s", spec, type, options) != 3)
			continue;
		decode(spec);
		if (!strcmp(type, "swap") && means(root, spec, name))
			snprintf(ret, size, "%s", options);
	}
}

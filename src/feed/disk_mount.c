/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "feed/disk_mount.h"

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000U
#endif

/* Of a line of mountinfo: behind " - " come type, source and the options of the file system. */
static void take_line(char *line, struct pit_disk *d)
{
	char *type = strstr(line, " - "), *rest, *options;

	if (!type)
		return;
	type += 3;
	rest = strchr(type, ' ');
	options = rest ? strchr(rest + 1, ' ') : NULL;
	if (!options)
		return;
	*rest = '\0';
	options[strcspn(options, "\n")] = '\0';
	snprintf(d->filesystem, sizeof(d->filesystem), "%s", type);
	for (char *save, *o = strtok_r(options + 1, ",", &save); o; o = strtok_r(NULL, ",", &save))
		if (!strcmp(type, "overlay") && !strcmp(o, "volatile"))
			d->volatile_overlay = true;
}

static void look_up(uint64_t id, struct pit_disk *d)
{
	pit_auto_fclose FILE *f = fopen("/proc/self/mountinfo", "re");
	pit_auto_free char *line = NULL;
	uint64_t this;
	size_t size = 0;

	while (f && getline(&line, &size, f) > 0)
		if (sscanf(line, "%" SCNu64, &this) == 1 && this == id)
			take_line(line, d);
}

void pit_disk_mount(int fd, struct pit_disk *d)
{
	struct statfs f;
	struct statx x;
	uint64_t id;

	snprintf(d->filesystem, sizeof(d->filesystem), "unknown");
	if (!fstatfs(fd, &f))
		snprintf(d->filesystem, sizeof(d->filesystem), "0x%lx", (unsigned long)f.f_type);
	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &x) || !(x.stx_mask & STATX_MNT_ID))
		return;
	memcpy(&id, (const char *)&x + 0x90, sizeof(id)); /* stx_mnt_id, which older headers lack */
	look_up(id, d);
}

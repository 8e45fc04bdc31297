/* SPDX-License-Identifier: MIT
 *
 * `touch touch=N`: touches so much memory and gives it back. A host may take free memory away from its virtual
 * machines, and the first touch then costs seconds per GiB: what is measured next shall not pay for that. The other
 * commands do it, too, right before their clocks start.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tool.h"

/* Not what would push others out. */
static uint64_t bearable(uint64_t bytes)
{
	FILE *f = fopen("/proc/meminfo", "re");
	unsigned long long kib = 0;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemFree: %llu kB", &kib) == 1)
			break;
	if (f)
		fclose(f);
	kib = (kib << 10) / 8 * 7;
	return bytes < kib ? bytes : kib;
}

void touch_memory(void)
{
	uint64_t bytes = bearable(arg_number("touch", 0)), page = sysconf(_SC_PAGESIZE);
	char *memory;

	if (!bytes)
		return;
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return;
	madvise(memory, bytes, MADV_HUGEPAGE);
	for (uint64_t at = 0; at < bytes; at += page)
		*(volatile char *)(memory + at) = 1;
	munmap(memory, bytes);
}

int touch_main(void)
{
	double start = now();

	touch_memory();
	printf("{\"seconds\":%.6f}\n", now() - start);
	return 0;
}

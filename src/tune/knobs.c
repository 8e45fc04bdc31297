/* SPDX-License-Identifier: MIT */
#include "tune/knobs.h"

#include <string.h>

#include "base/nearest.h"

/* What stops and starts other tuners comes first, so that they do not change what follows; the kernel's command line
 * comes last. Knobs that disturb others stand before them. */
const struct pit_knob *const pit_knobs[] = {
	pit_knobs_services,  pit_knobs_cpu,
	pit_knobs_hugepages, pit_knobs_memory,
	pit_knobs_kernel,    pit_knobs_limits,
	pit_knobs_tcp,       pit_knobs_network,
	pit_knobs_storage,   pit_knobs_pci,
	pit_knobs_irq,       pit_knobs_gpu,
	pit_knobs_boot,      NULL,
};

const struct pit_knob *pit_knob_find(const char *id)
{
	PIT_KNOB_FOREACH (knob)
		if (!strcmp(knob->id, id))
			return knob;
	return NULL;
}

static size_t count(void)
{
	size_t n = 0;

	PIT_KNOB_FOREACH (knob)
		n += knob->id != NULL;
	return n;
}

const char *pit_knob_nearest(const char *word)
{
	pit_auto_free const char **names = calloc(count() + 1, sizeof(*names));
	size_t n = 0;

	if (!names)
		return NULL;
	PIT_KNOB_FOREACH (knob)
		names[n++] = knob->id;
	return pit_nearest(word, names);
}

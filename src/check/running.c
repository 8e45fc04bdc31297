/* SPDX-License-Identifier: MIT */
#include "check/running.h"

#include <string.h>

bool pit_is_running(struct pit_facts *facts, const char *comm)
{
	const struct pit_procs *procs;

	if (pit_facts_procs(facts, &procs, NULL))
		return false;
	for (size_t i = 0; i < procs->count; i++)
		if (!strcmp(procs->item[i].comm, comm))
			return true;
	return false;
}

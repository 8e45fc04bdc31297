/* SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "launch/identity.h"

/* The input is a list of hosts or tasks, and an environment with a variable in each line. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), host[64], *block[64];
	struct pit_identity id;
	size_t n = 0;
	int tasks;

	(void)pit_identity_first_host(text, host, sizeof(host));
	if (!pit_identity_tasks_at(text, size % 7, &tasks) && tasks < 1)
		abort();
	for (char *line = strtok(text, "\n"); line && n < 63; line = strtok(NULL, "\n"))
		block[n++] = line;
	block[n] = NULL;
	if (!pit_identity_read(block, size % 2 ? "LOCAL_RANK" : "SLURM_LOCALID", (int)(size % 3), &id, NULL) &&
	    (id.local_rank < 0 || id.local_rank >= id.local_size || id.port < 0 || id.port > 65535))
		abort();
	free(text);
	return 0;
}

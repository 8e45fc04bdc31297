/* SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "check/slurm_conf.h"
#include "check/slurm_gres.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct pit_slurm_conf c = {0};
	pit_auto_strv struct pit_strv names = {0};
	pit_auto_idset struct pit_idset cores = {0};
	const struct pit_slurm_line *node;
	uint64_t count;
	bool typed;

	if (!pit_slurm_conf_parse(text, "slurm.conf", &c, NULL)) {
		node = pit_slurm_node(&c, "node07");
		if (node)
			(void)pit_slurm_node_get(&c, node, "CPUs");
		(void)pit_slurm_get(&c, "TaskPlugin", NULL);
	}
	(void)pit_slurm_hosts_have(text, "node07");
	(void)pit_slurm_hosts_expand(text, 1000, &names);
	(void)pit_slurm_gres_gpus(text, &count, &typed);
	(void)pit_slurm_gres_cores(text, &cores);
	(void)pit_slurm_gres_links(text, 8);
	pit_slurm_conf_free(&c);
	free(text);
	return 0;
}

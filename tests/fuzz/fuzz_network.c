/* SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "check/irq.h"
#include "check/irq_map.h"
#include "check/kernel.h"
#include "check/network.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), word[16];
	PIT_CLEANUP(pit_grub_args_free) struct pit_grub_args args = {0};
	PIT_CLEANUP(pit_intr_free) struct pit_intr intr = {0};
	pit_auto_idset struct pit_idset banned = {0};
	pit_auto_strv struct pit_strv names = {0};
	struct pit_softnet softnet;
	struct pit_net_dev dev;
	uint64_t value;

	(void)pit_intr_parse(text, &intr);
	(void)pit_softnet_parse(text, &softnet);
	(void)pit_irqbalance_banned_parse(text, &banned);
	(void)pit_net_group_parse(text, "Tcp:", "OutSegs", &value);
	(void)pit_net_dev_parse(text, "eth0", &dev);
	(void)pit_shared_subnets_parse(text, &names);
	(void)pit_port_rate_parse(text);
	(void)pit_grub_parse(text, &args);
	(void)pit_apt_get(text, "APT::Periodic::Unattended-Upgrade", word, sizeof(word));
	free(text);
	return 0;
}

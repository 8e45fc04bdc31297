/* SPDX-License-Identifier: MIT
 *
 * Kernel messages through the Xid reports.
 */
#include "check/xid.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct pit_xid_events events = {0};
	struct pit_kmsg log = {0};

	if (!pit_kmsg_parse(text, &log) && !pit_xid_collect(&log, &events))
		pit_xid_events_free(&events);
	pit_kmsg_free(&log);
	free(text);
	return 0;
}

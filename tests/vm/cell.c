/* SPDX-License-Identifier: MIT
 *
 * cell TARGET OBJECT [= [VALUE]] - one cell of this machine, past plan and journal: prints its value, or sets it ("="
 * without a value: absent). For use in the rig's guest only.
 */
#include <string.h>

#include "tune/target.h"

static int told(const struct pit_error *err)
{
	fprintf(stderr, "cell: %s\n", err->text);
	return 1;
}

int main(int argc, char **argv)
{
	pit_auto_place struct pit_place *place = NULL;
	struct pit_error err = PIT_ERROR_INIT;
	pit_auto_free char *value = NULL;
	int target = argc >= 3 ? pit_target_find(argv[1]) : -1;
	bool set = argc >= 4 && !strcmp(argv[3], "=");
	struct pit_cell cell = {0};
	int rc;

	if (target < 0 || access("/run/vm/job", F_OK)) {
		fprintf(stderr, "usage, in the rig's guest: cell TARGET OBJECT [= [VALUE]]\n");
		return 64;
	}
	rc = pit_place_open(&place, &err);
	rc = rc ? rc : pit_cell_set(&cell, (enum pit_target_kind)target, PIT_VALUE_TEXT, "%s", argv[2]);
	if (!rc && set)
		rc = pit_cell_write(place, &cell, argc > 4 ? argv[4] : NULL, &err);
	else if (!rc)
		rc = pit_cell_read(pit_place_root(place), &cell, &value, &err);
	pit_cell_free(&cell);
	if (rc)
		return told(&err);
	if (!set)
		puts(value ? value : "");
	return 0;
}

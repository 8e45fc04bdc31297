/* SPDX-License-Identifier: MIT
 *
 * seal: reads records of a journal from stdin, a JSON object a line, and writes them with their check sums: how the
 * journals of tests/cli and the seeds of tests/fuzz are made. `cut -c18-` takes the sums away again.
 */
#include <string.h>

#include "tune/journal.h"

int main(void)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	pit_auto_free char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0)
		pit_journal_seal(line, strcspn(line, "\n"), &out);
	return fwrite(out.data, 1, out.len, stdout) == out.len ? 0 : 1;
}

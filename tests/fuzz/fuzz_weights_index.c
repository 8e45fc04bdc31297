/* SPDX-License-Identifier: MIT
 *
 * model.safetensors.index.json: the files that it names lie beside it.
 */
#include "fuzz.h"
#include "feed/weights_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pit_auto_buf struct pit_buf index = PIT_BUF_INIT;
	pit_auto_strv struct pit_strv files = {0};
	struct pit_weights none = {0};

	pit_buf_add(&index, data, size);
	if (!pit_weights_index_files(&index, &files, NULL))
		for (size_t i = 0; i < files.count; i++)
			if (!*files.item[i] || strchr(files.item[i], '/'))
				abort();
	(void)pit_weights_check_index(&none, &index, NULL);
	return 0;
}

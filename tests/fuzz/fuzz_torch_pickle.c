/* SPDX-License-Identifier: MIT
 *
 * A pickle of torch.save(): what is accepted makes a text that is JSON, and tensors that lie in their storages.
 */
#include <jansson.h>

#include "feed/torch_pickle.h"
#include "feed/torch_tensor.h"
#include "feed/torch_tree.h"
#include "fuzz.h"

#define STORAGE_MOST (1 << 20) /* bytes of a storage that is made up */

static void check_tensor(const struct pit_torch_tensor *t)
{
	uint64_t bytes = 0, copied = pit_torch_tensor_bytes(t);
	char *storage, *copy;

	if (pit_tensor_bytes(t->dtype, t->dims + t->pairs, t->shape, &bytes) || bytes != copied)
		abort();
	if (t->storage->bytes > STORAGE_MOST || bytes > STORAGE_MOST)
		return;
	storage = calloc(1, t->storage->bytes + !t->storage->bytes);
	copy = malloc(bytes + !bytes);
	if (pit_torch_tensor_is_plain(t) && bytes)
		memcpy(copy, storage + t->offset, bytes);
	if (bytes)
		pit_torch_tensor_gather(t, storage, copy);
	free(storage);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_value_memory *memory = NULL;
	struct pit_torch_tree tree;
	struct pit_value *top = NULL;
	int rc = pit_pickle_read(data, size, &memory, &top, &err);

	if (!rc)
		rc = pit_torch_tree(top, &tree, &err);
	if (rc && !*err.text)
		abort();
	if (!rc) {
		json_error_t why;
		json_t *json = json_loads(tree.text.data, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);

		if (!json && json_error_code(&why) != json_error_numeric_overflow)
			abort();
		json_decref(json);
		for (size_t i = 0; i < tree.count; i++)
			check_tensor(tree.pieces[i].tensor);
		pit_torch_tree_free(&tree);
	}
	pit_value_memory_free(memory);
	return 0;
}

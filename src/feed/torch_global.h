/* SPDX-License-Identifier: MIT
 *
 * The few names of Python that a pickle of torch.save() may speak of, and what we do instead of calling them. No other
 * name is known here, and none is ever looked up.
 */
#ifndef PIT_FEED_TORCH_GLOBAL_H
#define PIT_FEED_TORCH_GLOBAL_H

#include "feed/torch_value.h"
#include "pitcrew/error.h"

struct pit_torch_global {
	const char *module, *name;
	/* What calling it with a tuple gives; NULL: it is no function. 0 or -errno. */
	int (*call)(const struct pit_torch_global *g, struct pit_value_memory *m, const struct pit_value *args,
		    struct pit_value **ret, struct pit_error *err);
	enum pit_value_kind kind; /* of the container that `call` makes */
	enum pit_dtype dtype;     /* of a storage's elements, or the type itself */
	bool pairs, is_storage, untyped;
};

/* NULL: unknown. */
const struct pit_torch_global *pit_torch_global(const char *module, size_t module_len, const char *name,
						size_t name_len);

/* What the persistent id ("storage", type, key, device, elements) stands for. */
int pit_torch_persistent(struct pit_value_memory *m, const struct pit_value *id, struct pit_value **ret,
			 struct pit_error *err);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Reads a pickle (protocol 2 to 5) without being one of the machines that pickles are programs for: plain data,
 * OrderedDict, and the handful of names by which torch.save() writes tensors are all it knows. Nothing is imported or
 * called. Time and memory are bounded by the pickle's length.
 */
#ifndef PIT_FEED_TORCH_PICKLE_H
#define PIT_FEED_TORCH_PICKLE_H

#include <stddef.h>

#include "feed/torch_value.h"
#include "pitcrew/error.h"

#define PIT_PICKLE_MAX ((size_t)256 << 20)        /* bytes of a pickle */
#define PIT_PICKLE_MEMORY_MAX (UINT64_C(4) << 30) /* of what it holds */
#define PIT_PICKLE_MARKS_MAX 4096                 /* containers begun and not ended */

/* `ret_memory` holds the value; it is freed with pit_value_memory_free(). -EBADMSG: damaged; -ENOTSUP: it holds
 * something else than plain data and tensors, which is named. */
int pit_pickle_read(const void *pickle, size_t len, struct pit_value_memory **ret_memory, struct pit_value **ret,
		    struct pit_error *err);

#endif

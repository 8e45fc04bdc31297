/* SPDX-License-Identifier: MIT
 *
 * Where the elements of a tensor of torch lie in its storage.
 */
#ifndef PIT_FEED_TORCH_TENSOR_H
#define PIT_FEED_TORCH_TENSOR_H

#include "feed/torch_value.h"
#include "pitcrew/error.h"

/* Fills in the rest of `t`, which has storage, dtype and pairs, from foreign numbers: `offset` in elements, lists of
 * sizes and strides. -EBADMSG when they are none, overflow, or lead beyond the storage. */
int pit_torch_tensor_set(struct pit_value_memory *m, struct pit_torch_tensor *t, uint64_t offset,
			 const struct pit_value *sizes, const struct pit_value *strides, struct pit_error *err);

/* Its elements lie one behind the other in C order. */
bool pit_torch_tensor_is_plain(const struct pit_torch_tensor *t);
uint64_t pit_torch_tensor_bytes(const struct pit_torch_tensor *t);

/* Copies the elements in C order to `out` from its storage's bytes. */
void pit_torch_tensor_gather(const struct pit_torch_tensor *t, const void *storage, void *out);

#endif

/* SPDX-License-Identifier: MIT
 *
 * A state of some training, of which every byte follows from its number: whoever finds bytes knows whose they are.
 */
#ifndef PIT_CRASH_STATE_H
#define PIT_CRASH_STATE_H

#include <stdint.h>

#include "pitcrew/checkpoint.h"
#include "pitcrew/weights.h"

#define STATE_TENSORS 5

struct state {
	struct pit_save_tensor tensors[STATE_TENSORS];
	uint64_t shapes[STATE_TENSORS];
};

/* About `bytes`, a bit more or less for each number: old and new files differ in length. Ends the program when there is
 * no memory. */
void state_make(struct state *s, uint64_t generation, uint64_t bytes);
void state_free(struct state *s);

/* 0 when the file holds the state of that number, -EBADMSG when it does not, or what reading says. */
int state_compare(struct pit_weights *w, uint64_t generation, struct pit_error *err);

/* The same for tensors that were read already: `data` of tensor `name`. */
int state_compare_data(const char *name, const void *data, uint64_t bytes, uint64_t generation, struct pit_error *err);

/* Byte `at` of piece `piece` of anything numbered `generation`. */
uint8_t state_byte(uint64_t generation, uint64_t piece, uint64_t at);

#endif

/* SPDX-License-Identifier: MIT
 *
 * The model as text: for a person, and as JSON.
 */
#ifndef PIT_TOPO_VIEW_H
#define PIT_TOPO_VIEW_H

#include "topo/model.h"

/* A drawing of at most 80 columns. Foreign names come out without control characters. */
void pit_topo_draw(const struct pit_topo *t, struct pit_buf *out);

/* {"schema":1,"cpus":{...},...}; what is unknown is null. 0 or -ENOMEM. */
int pit_topo_json(const struct pit_topo *t, struct pit_buf *out);

#endif

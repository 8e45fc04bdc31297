/* SPDX-License-Identifier: MIT
 *
 * What the parts of pit_env_plan() share. Private to launch/environment*.c.
 */
#ifndef PIT_LAUNCH_ENVIRONMENT_PARTS_H
#define PIT_LAUNCH_ENVIRONMENT_PARTS_H

#include "launch/environment.h"

struct pit_env_draft {
	const struct pit_env_request *r;
	struct pit_env env;
	bool failed; /* no memory */
};

/* The item of that name; NULL none. */
const struct pit_env_item *pit_env_item(const struct pit_env *e, const char *name);

/* Puts or replaces an item, whatever the user set. */
void pit_env_put(struct pit_env_draft *d, const char *name, const char *value, bool kept, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Sets a variable unless it is set; then it is kept, with the reason why. */
void pit_env_offer(struct pit_env_draft *d, const char *name, const char *value, const char *why);

/* Sets a variable, or removes it (`value` NULL), whatever we were started with; not what --env says. */
void pit_env_force(struct pit_env_draft *d, const char *name, const char *value, const char *why);

/* The GPUs that the rank is to see. */
void pit_env_plan_gpus(struct pit_env_draft *d);

#endif

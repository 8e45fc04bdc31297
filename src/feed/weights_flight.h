/* SPDX-License-Identifier: MIT
 *
 * What is under way while a plan is read: lanes in flight, requests in their slots, and what comes in being used.
 */
#ifndef PIT_FEED_WEIGHTS_FLIGHT_H
#define PIT_FEED_WEIGHTS_FLIGHT_H

#include <pthread.h>

#include "feed/io.h"
#include "feed/pool.h"
#include "feed/team.h"
#include "feed/weights_use.h"

#define PIT_FLIGHTS_BESIDE 4 /* lanes that are read at once */

struct pit_flights;

/* What is under way of a lane. The stream's lock is for `arrived`, `used` and `busy`. */
struct pit_flight {
	struct pit_team_task task;
	struct pit_flights *stream;
	const struct pit_lane *lane;
	struct pit_use use;
	size_t sent, back, used; /* reads */
	const char **arrived;    /* of each read that is back: its bytes */
	bool busy;               /* given to the team */
};

struct pit_flight_slot {
	struct pit_io_op op;
	struct pit_flight *flight;
	const struct pit_read *read;
	bool direct;                  /* sent while the file had O_DIRECT */
	struct pit_flight_slot *next; /* free */
};

struct pit_flight_file {
	int fd;
	bool direct;
	unsigned users; /* flights */
};

struct pit_flights {
	const struct pit_stream *job;
	struct pit_io *io;
	struct pit_team *team;
	struct pit_pool *pool; /* of the slots' memory, when there is no arena */
	struct pit_flight_slot *slots;
	unsigned slot_count, turn;
	size_t block; /* memory of one slot */
	struct pit_flight *flights;
	struct pit_flight *beside[PIT_FLIGHTS_BESIDE];
	size_t next_flight;
	struct pit_flight_file *files;
	uint64_t done; /* bytes */
	int64_t told;  /* progress, when */

	pthread_mutex_t lock; /* of what follows, too */
	struct pit_flight_slot *free;
	size_t left; /* flights */
	int rc;
	struct pit_error err;
};

/* The first error is the one to tell; nothing new begins after it. From any thread. */
void pit_flights_stop(struct pit_flights *s, int rc, const struct pit_error *err);

void pit_flights_send(struct pit_flights *s); /* as many requests as there are free slots */
void pit_flights_free(struct pit_flights *s, struct pit_flight_slot *slot); /* with the lock held */
void pit_flight_use(struct pit_team_task *task); /* a flight's: uses what is back, in the order of the file */

#endif

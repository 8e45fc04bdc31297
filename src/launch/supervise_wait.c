/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "host/nvml.h"
#include "launch/supervisor.h"

#define NVIDIA 0x10de
#define POLL_MOST (3600 * 1000 * PIT_MS)
#define GPU_MOST (30000 * PIT_MS)
#define GPU_AGAIN (500 * PIT_MS)

int pit_supervisor_wait(int front, int64_t until, struct pit_front_message *ret)
{
	for (;;) {
		int64_t left = until - pit_now();
		struct pollfd p = {.fd = front, .events = POLLIN};
		struct pit_front_message m;
		ssize_t size;

		left = left < 0 ? 0 : left < POLL_MOST ? left : POLL_MOST;
		if (poll(&p, 1, (int)((left + PIT_MS - 1) / PIT_MS)) <= 0) {
			if (!left)
				return 0;
			continue;
		}
		size = recv(front, &m, sizeof(m), MSG_DONTWAIT);
		if (size >= 0 && size != (ssize_t)sizeof(m))
			return -EPIPE;
		if (size > 0 && pit_front_asks_to_stop(m.signal)) {
			*ret = m;
			return 1;
		}
	}
}

static bool has_nvidia(const struct pit_job *j)
{
	for (size_t i = 0; i < j->site.gpus; i++)
		if (j->site.gpu[i].vendor == NVIDIA)
			return true;
	return false;
}

static bool is_rank(const struct pit_exit_report *r, json_int_t pid)
{
	for (int i = 0; i < r->ranks; i++)
		if (r->rank[i].pid && r->rank[i].pid == (pid_t)pid)
			return true;
	return false;
}

int pit_supervisor_gpus_held(struct pit_root *root, const struct pit_exit_report *r)
{
	json_t *all = NULL, *gpu, *process;
	size_t i, k;
	int held = 0, rc;

	pit_root_forget(root);
	rc = pit_nvml_load(root, &all, NULL);
	if (rc)
		return rc;
	json_array_foreach(json_object_get(all, "gpus"), i, gpu)
		json_array_foreach(json_object_get(gpu, "processes"), k, process) held +=
		is_rank(r, json_integer_value(json_object_get(process, "pid")));
	json_decref(all);
	return held;
}

int pit_supervisor_wait_gpus(const struct pit_supervisor *v, const struct pit_exit_report *r,
			     struct pit_front_message *ret)
{
	pit_auto_root struct pit_root *root = NULL;
	int64_t end = pit_now() + GPU_MOST;
	int held, rc = 0;

	if (!has_nvidia(v->s->job) || pit_root_open(NULL, &root, NULL))
		return 0;
	while (!rc && (held = pit_supervisor_gpus_held(root, r)) > 0) {
		if (pit_now() >= end) {
			if (v->s->say)
				v->s->say(v->s->arg,
					  "GPUs still hold memory of ranks that have ended; starting again anyway");
			return 0;
		}
		rc = pit_supervisor_wait(v->front, pit_now() + GPU_AGAIN, ret);
	}
	return rc;
}

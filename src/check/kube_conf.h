/* SPDX-License-Identifier: MIT
 *
 * The kubelet's configuration: its file (YAML or JSON), with the flags of the running kubelet on top.
 */
#ifndef PIT_CHECK_KUBE_CONF_H
#define PIT_CHECK_KUBE_CONF_H

#include "check/conf.h"
#include "check/facts.h"

struct pit_kube {
	struct pit_conf conf; /* keys as in KubeletConfiguration: "cpuManagerPolicy", "evictionHard/memory.available" */
	char path[160];       /* of the file; "" none was found */
	int pid;              /* of the kubelet; 0 not seen */
};

/* -ENOENT: neither a file nor flags of a kubelet can be seen. */
int pit_kube_load(struct pit_facts *f, struct pit_kube *ret, struct pit_error *err);
void pit_kube_free(struct pit_kube *k);
#define pit_auto_kube PIT_CLEANUP(pit_kube_free)

/* Appends the flags of a command line whose words end with NUL ("--cpu-manager-policy=static", also as two words) under
 * the keys of the file. Maps ("--eviction-hard=memory.available<1Gi,...") become entries below their key. */
int pit_kube_parse_flags(const char *words, size_t len, struct pit_conf *ret);

/* A quantity such as "1Gi", "500M", "1.5Gi", "1024": bytes. -EINVAL, -ERANGE. */
int pit_kube_quantity(const char *text, uint64_t *ret_bytes);

#endif

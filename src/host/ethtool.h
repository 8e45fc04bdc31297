/* SPDX-License-Identifier: MIT
 *
 * What a network driver says about itself that is in no file.
 */
#ifndef PIT_HOST_ETHTOOL_H
#define PIT_HOST_ETHTOOL_H

#include "host/root.h"

/* Sizes of the rings, in packets. */
struct pit_ethtool_ring {
	unsigned rx, rx_max, tx, tx_max;
};

/* The fact "ethtool-ring:NIC", as the text "rx N\nrx_max N\ntx N\ntx_max N\n". -EOPNOTSUPP: the driver has none. */
int pit_ethtool_ring(struct pit_root *root, const char *nic, struct pit_ethtool_ring *ret, struct pit_error *err);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Probes of the network rows and what they share. Private to check/network*.c and check/rdma*.c.
 */
#ifndef PIT_CHECK_NETWORK_H
#define PIT_CHECK_NETWORK_H

#include "check/devices.h"
#include "check/facts.h"

struct pit_link {
	char name[32];
	char model[16];  /* "15b3:101e": vendor and device; "" no PCI device */
	bool up;         /* administratively */
	int carrier;     /* 1, 0, -1 unknown */
	int64_t mbit;    /* -1 unknown */
	int64_t mtu;     /* -1 unknown */
	int type;        /* ARPHRD_*: 1 Ethernet, 32 InfiniBand; -1 unknown */
	bool physical;   /* has a device: no veth, bridge, bond, tunnel */
	bool rdma;       /* its device is an RDMA device too */
	char master[32]; /* bond or bridge that it belongs to; "" none */
};

struct pit_links {
	struct pit_link *item; /* sorted by name */
	size_t count;
};
int pit_links_load(struct pit_facts *facts, struct pit_links *ret, struct pit_error *err);
void pit_links_free(struct pit_links *l); /* back to empty */
#define pit_auto_links PIT_CLEANUP(pit_links_free)
bool pit_link_is_fast(const struct pit_link *l); /* physical, with carrier and PIT_FAST_MBIT or more */

/* True when this host takes part in a fast network: a fast link, or an active RDMA port. */
bool pit_network_is_fast(struct pit_facts *facts);

/* One RDMA port. */
struct pit_port {
	char device[32];
	int port;
	char state[24];  /* "ACTIVE", "DOWN", "INIT"; "" unknown */
	char phys[24];   /* "LinkUp", "Polling", "Disabled"; "" unknown */
	char layer[16];  /* "InfiniBand", "Ethernet"; "" unknown */
	double gbit;     /* 0 unknown */
	char board[64];  /* model: board_id, else hca_type; "" unknown */
	char netdev[32]; /* Ethernet device of the port; "" unknown */
};

struct pit_ports {
	struct pit_port *item;
	size_t count;
};
int pit_ports_load(struct pit_facts *facts, struct pit_ports *ret, struct pit_error *err);
void pit_ports_free(struct pit_ports *p); /* back to empty */
#define pit_auto_ports PIT_CLEANUP(pit_ports_free)
double pit_port_rate_parse(const char *text); /* "400 Gb/sec (4X NDR)" -> 400; 0 when it is none */

/* network_links.c: links as they are */
pit_probe pit_net_link_down, pit_net_speed, pit_net_duplex, pit_net_mtu, pit_net_flaps, pit_net_bonding,
	pit_net_loopback;

/* network_counters.c: what the counters say */
pit_probe pit_net_errors, pit_net_drops, pit_net_rings;
pit_probe pit_net_protocol; /* arg: struct pit_net_counter */
pit_probe pit_net_conntrack, pit_net_neighbours;

/* A counter of /proc/net/snmp or netstat against the one that it is a share of. */
struct pit_net_counter {
	const char *path, *group, *part;
	const char *whole_path, *whole_group, *whole; /* whole_path NULL: no share, growth alone is judged */
	double share;                                 /* more than this of `whole` is bad */
	uint64_t least;                               /* fewer than this many never matter */
};

/* Value `name` of the group "Tcp:" (a line of names, then one of numbers). -ENOENT, -EBADMSG. */
int pit_net_group_parse(const char *text, const char *group, const char *name, uint64_t *ret);

/* Receive and transmit counters of `nic` in /proc/net/dev. -ENOENT, -EBADMSG. */
struct pit_net_dev {
	uint64_t rx_packets, rx_errs, rx_drop, rx_fifo, rx_frame;
	uint64_t tx_packets, tx_errs, tx_drop, tx_fifo, tx_carrier;
};
int pit_net_dev_parse(const char *text, const char *nic, struct pit_net_dev *ret);

/* network_settings.c: sysctls that matter to fast links only */
struct pit_net_setting {
	const char *path;
	int word;       /* which word of the value, from 0 */
	uint64_t least; /* wanted: at least this ... */
	uint64_t most;  /* ... and at most this; 0 no limit */
	bool bytes;
};
pit_probe pit_net_setting; /* arg: struct pit_net_setting */
pit_probe pit_net_congestion, pit_net_qdisc, pit_net_ports_range, pit_net_hostname;

/* network_rails.c: several links in one subnet */
struct pit_net_rail {
	const char *key; /* below /proc/sys/net/ipv4/conf/NIC/ */
	int low, high;   /* effective values that are fine */
	bool loose;      /* instead: anything but 1 (strict) */
};
pit_probe pit_net_rail; /* arg: struct pit_net_rail */

/* Names of the interfaces with a directly connected route to the same network as another one, from /proc/net/route. */
int pit_shared_subnets_parse(const char *text, struct pit_strv *ret);

/* network_time.c */
pit_probe pit_net_clock, pit_net_time_daemon;

/* rdma_ports.c, rdma_counters.c */
pit_probe pit_rdma_ports_up, pit_rdma_rate, pit_rdma_gids, pit_rdma_mtu, pit_rdma_modules, pit_rdma_errors,
	pit_rdma_flaps, pit_rdma_retries;

#endif

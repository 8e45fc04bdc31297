/* SPDX-License-Identifier: MIT */
#include "host/ethtool.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "host/procfs.h"

static int ask_ring(const char *name, void *arg, struct pit_buf *out)
{
	const char *nic = arg;
	struct ethtool_ringparam ring = {.cmd = ETHTOOL_GRINGPARAM};
	struct ifreq request = {.ifr_data = (char *)&ring};
	pit_auto_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (strlen(nic) >= sizeof(request.ifr_name))
		return -EINVAL;
	memcpy(request.ifr_name, nic, strlen(nic));
	if (ioctl(fd, SIOCETHTOOL, &request))
		return -errno;
	pit_buf_printf(out, "rx %u\nrx_max %u\ntx %u\ntx_max %u\n", ring.rx_pending, ring.rx_max_pending,
		       ring.tx_pending, ring.tx_max_pending);
	return 0;
}

static int number(const char *text, const char *key, unsigned *ret)
{
	uint64_t n;
	int rc = pit_kv_u64(text, key, &n);

	if (rc || n > UINT32_MAX)
		return -EBADMSG;
	*ret = (unsigned)n;
	return 0;
}

int pit_ethtool_ring(struct pit_root *root, const char *nic, struct pit_ethtool_ring *ret, struct pit_error *err)
{
	struct pit_ethtool_ring ring;
	struct pit_text text;
	char name[64];
	int rc;

	snprintf(name, sizeof(name), "ethtool-ring:%s", nic);
	rc = pit_root_fact(root, name, ask_ring, (void *)nic, &text);
	if (rc)
		return pit_fail(err, -rc, "rings of %s", nic);
	if (number(text.data, "rx", &ring.rx) || number(text.data, "rx_max", &ring.rx_max) ||
	    number(text.data, "tx", &ring.tx) || number(text.data, "tx_max", &ring.tx_max))
		return pit_fail(err, EBADMSG, "rings of %s", nic);
	*ret = ring;
	return 0;
}

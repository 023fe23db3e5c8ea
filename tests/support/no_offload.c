// no_offload IFACE: its sender completes checksums itself. On a veth the kernel would leave that to
// a card that is not there, and who reads raw frames at the other end gets them unfinished.
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
    struct ethtool_value value = {.cmd = ETHTOOL_STXCSUM, .data = 0};
    struct ifreq request = {.ifr_data = (void *)&value};
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (argc != 2 || fd < 0) return 2;
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", argv[1]);
    if (ioctl(fd, SIOCETHTOOL, &request) == 0) return 0;
    perror(argv[1]);
    return 1;
}

# SPDX-License-Identifier: GPL-2.0-or-later
"""A router, its LAN and a WAN server in network namespaces. See tests/README.md for the picture."""

from .ask import answered, closed, curl
from .counters import Count, Flow, conntrack_events, conntrack_follow, conntrack_list, host_sums, nft_counters
from .crowd import Crowd, add_counts, counts_of
from .meter import PROGRAM, ROOT, Meter, host_counts, parse_metrics
from .multicast import MulticastRouter
from .node import Node, Process, own_sandbox, wait_until
from .oracle import Oracle
from . import packet
from .packet import Tun, Wire
from .talk import Truth, say, talk, udp
from .topology import RULES, Host, Lab
from .traffic import Traffic

__all__ = ["Count", "Crowd", "Flow", "Host", "Lab", "Meter", "MulticastRouter", "Node", "Oracle", "PROGRAM", "Process", "ROOT",
           "RULES", "Traffic", "Truth", "Tun", "Wire", "add_counts", "answered", "closed",
           "conntrack_events", "conntrack_follow", "conntrack_list", "counts_of", "curl", "host_counts",
           "host_sums", "nft_counters", "own_sandbox", "packet", "parse_metrics", "say", "talk", "udp",
           "wait_until"]

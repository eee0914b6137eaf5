# SPDX-License-Identifier: GPL-2.0-or-later
"""A router, its LAN and a WAN server in network namespaces. See tests/README.md for the picture."""

from .counters import Count, Flow, conntrack_events, conntrack_list, host_sums, nft_counters
from .meter import PROGRAM, ROOT, Meter, host_counts, parse_metrics
from .node import Node, Process, wait_until
from .oracle import Oracle
from .topology import RULES, Host, Lab
from .traffic import Traffic

__all__ = ["Count", "Flow", "Host", "Lab", "Meter", "Node", "Oracle", "PROGRAM", "Process", "RULES", "ROOT", "Traffic", "conntrack_events",
           "conntrack_list", "host_counts", "host_sums", "nft_counters", "parse_metrics", "wait_until"]

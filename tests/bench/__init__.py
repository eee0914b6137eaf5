# SPDX-License-Identifier: GPL-2.0-or-later
"""What the meter costs, beside the floor and beside its peers. One module per question; docs/performance.md explains."""

"""The workloads, one file for each kind of work.

tutorial       a tiny problem, hundreds of steps
gradients      loss and gradient of large data
compression    full-batch least squares: data that never changes
networks       mini-batch training of networks
hessians       second derivatives
functions      exp, tanh and their like
startup        compiling and starting, in processes of their own
"""

from harness.workload import Workload

from workloads import compression, functions, gradients, hessians, networks, tutorial

WORKLOADS: tuple[Workload, ...] = (
    *tutorial.WORKLOADS,
    *gradients.WORKLOADS,
    *compression.WORKLOADS,
    *networks.WORKLOADS,
    *hessians.WORKLOADS,
    *functions.WORKLOADS,
)
NOTES = {
    w.name: module.NOTE
    for module in (tutorial, gradients, compression, networks, hessians, functions)
    for w in module.WORKLOADS
}

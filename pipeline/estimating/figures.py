"""Measured figures of each part of a run, which `estimate` goes by.

They are fitted by `python -m benchmarks scale --fit`, which writes this module: the steps of runs with the defaults, on
synthetic ratings of several sizes, each in a process of its own. What goes with an amount (see `work`) is at least 0,
and such that the squares of the relative errors are least. Seconds are by the clock, or by the work of all threads
where that is less, as it is on a machine with others at work; there, they are too many for what uses several cores.
"""

# fmt: off

from pipeline.estimating.fitted import Figures, Part
from pipeline.estimating.machine import Speed

FIGURES = Figures(cpu='2 cores of AMD EPYC (AVX, AVX2, FMA)',
        speed=Speed(loop=0.002061, product=0.01377),
        program_gb=1.173,
        parts={'Preprocess': Part(seconds={'fixed': 0.5854, 'rows': 0.3914, 'generated': 1.002},
                                  memory_gb={'fixed': 0.01743, 'rows': 0.06314, 'ids': 1.175},
                                  disk_gb={'fixed': 6.309e-06, 'rows': 0.00407, 'ids': 0.007661}),
               'NegativeGen': Part(seconds={'fixed': 1.182, 'records': 0.01182, 'written': 0.1626},
                                   memory_gb={'fixed': 0.09119, 'train': 0.01463},
                                   disk_gb={'records': 0.009101, 'written': 0.00912}),
               'drawing': Part(seconds={'fixed': 0.2986, 'drawn': 0.04499},
                               memory_gb={'fixed': 0.06554, 'train': 0.06857},
                               disk_gb={}),
               'Trainer': Part(seconds={'fixed': 13.64, 'pairs': 0.9727},
                               memory_gb={'fixed': 0.2556, 'pairs': 0.03009, 'train': 0.135},
                               disk_gb={'parameters': 0.0006066, 'train': 0.005949}),
               'epoch': Part(seconds={'fixed': 0.08102, 'drawn': 0.6086}, memory_gb={}, disk_gb={}),
               'Evaluator': Part(seconds={'scores': 0.005308, 'train': 27.57},
                                 memory_gb={'fixed': 0.1712, 'ease_cells': 0.009056, 'train': 0.2288},
                                 disk_gb={}),
               'popularity': Part(seconds={}, memory_gb={}, disk_gb={}),
               'als': Part(seconds={'als_gflop': 0.03457}, memory_gb={}, disk_gb={}),
               'item_knn': Part(seconds={'fixed': 0.09339, 'scores': 0.03067}, memory_gb={}, disk_gb={}),
               'ease': Part(seconds={'fixed': 0.8851, 'gflop': 0.02548}, memory_gb={}, disk_gb={}),
               'recent_items': Part(seconds={'fixed': 0.3687, 'train': 1.791, 'scores': 0.002611},
                                    memory_gb={},
                                    disk_gb={}),
               'Pusher': Part(seconds={'fixed': 0.001989, 'parameters': 0.0007449, 'train': 0.01524},
                              memory_gb={},
                              disk_gb={'parameters': 0.0009441, 'train': 0.01139})})

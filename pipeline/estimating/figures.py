"""Measured figures of each part of a run, which `estimate` goes by.

They are fitted by `python -m benchmarks scale --fit`, which writes this module: the steps of runs with the defaults, on
synthetic ratings of several sizes, each in a process of its own. What goes with an amount (see `work`) is at least 0,
and such that the squares of the relative errors are least. Seconds are by the clock, or by the work of all threads
where that is less, as it is on a machine with others at work; there, they are too many for what uses several cores.
"""

# fmt: off

from pipeline.estimating.fitted import Figures, Part
from pipeline.estimating.machine import Speed

FIGURES = Figures(cpu='2 cores of AMD EPYC (AVX, AVX2, FMA); provisional, from runs beside other work',
        speed=Speed(loop=0.00266, product=0.0215),
        program_gb=1.2,
        parts={'Preprocess': Part(seconds={'fixed': 0.698, 'rows': 0.2401, 'generated': 3.107},
                                  memory_gb={'fixed': 0.14, 'rows': 0.038},
                                  disk_gb={'rows': 0.004576}),
               'NegativeGen': Part(seconds={'fixed': 1.17, 'written': 0.02569},
                                   memory_gb={'fixed': 0.0985, 'records': 0.002172},
                                   disk_gb={'records': 0.009314, 'written': 0.009045}),
               'drawing': Part(seconds={'fixed': 0.3456, 'drawn': 0.01779},
                               memory_gb={'fixed': 0.04832, 'at_once': 0.006811},
                               disk_gb={}),
               'Trainer': Part(seconds={'fixed': 4.117, 'towers_gflop': 0.3785},
                               memory_gb={'fixed': 0.5, 'pairs': 0.0113},
                               disk_gb={'parameters': 0.00043}),
               'epoch': Part(seconds={'drawn': 0.1809, 'gflop': 0.003804}, memory_gb={}, disk_gb={}),
               'Evaluator': Part(seconds={'fixed': 0.5315, 'scores': 0.2409, 'train': 0.6828},
                                 memory_gb={'fixed': 0.5, 'ease_cells': 0.008},
                                 disk_gb={}),
               'popularity': Part(seconds={'fixed': 0.01}, memory_gb={}, disk_gb={}),
               'als': Part(seconds={'fixed': 0.07175, 'als_gflop': 0.02159}, memory_gb={}, disk_gb={}),
               'item_knn': Part(seconds={'fixed': 0.0406, 'scores': 0.01206}, memory_gb={}, disk_gb={}),
               'ease': Part(seconds={'fixed': 0.05862, 'gflop': 0.01728}, memory_gb={}, disk_gb={}),
               'recent_items': Part(seconds={'fixed': 0.007998, 'train': 7.599}, memory_gb={}, disk_gb={}),
               'Pusher': Part(seconds={'parameters': 0.02088}, memory_gb={}, disk_gb={'parameters': 0.00036})})

"""Measured figures of each part of a run, which `estimate` goes by.

They are fitted by `python -m benchmarks scale --fit`, which writes this module: the steps of runs with the defaults, on
synthetic ratings of several sizes, each in a process of its own. What goes with an amount (see `work`) is at least 0,
and such that the squares of the relative errors are least. Seconds are by the clock, or by the work of all threads
where that is less, as it is on a machine with others at work; there, they are too many for what uses several cores.
"""

# fmt: off

from pipeline.estimating.fitted import Figures, Part
from pipeline.estimating.machine import Speed

FIGURES = Figures(cpu='2 cores of AMD EPYC (AVX, AVX2, FMA, AVX-512)',
        speed=Speed(loop=0.0007132, product=0.004339),
        program_gb=1.202,
        parts={'Preprocess': Part(seconds={'fixed': 0.2599, 'rows': 0.07935, 'generated': 0.1704},
                                  memory_gb={'fixed': 0.01844, 'rows': 0.01885, 'ids': 0.5244},
                                  disk_gb={'fixed': 5.697e-06, 'rows': 0.004071, 'ids': 0.007757}),
               'NegativeGen': Part(seconds={'fixed': 0.5369, 'records': 0.007284, 'written': 0.04973},
                                   memory_gb={'fixed': 0.09548, 'records': 6.713e-05, 'train': 0.005451},
                                   disk_gb={'records': 0.009071, 'written': 0.009206}),
               'drawing': Part(seconds={'fixed': 0.168, 'drawn': 0.01291},
                               memory_gb={'fixed': 0.06976, 'at_once': 0.009228, 'train': 0.003805},
                               disk_gb={}),
               'Trainer': Part(seconds={'fixed': 3.31,
                                        'decomposed_gflop': 0.00228,
                                        'scored_gflop': 0.00692,
                                        'ranked': 0.0002129,
                                        'parameters': 0.3017},
                               memory_gb={'fixed': 0.4837,
                                          'pairs': 0.01696,
                                          'parameters': 0.01901,
                                          'train': 0.05634},
                               disk_gb={'parameters': 0.00175}),
               'epoch': Part(seconds={'fixed': 0.002623, 'drawn': 0.2448, 'gflop': 0.02279},
                             memory_gb={},
                             disk_gb={}),
               'Evaluator': Part(seconds={'fixed': 1.16, 'gflop': 0.009875},
                                 memory_gb={'fixed': 0.1785, 'parameters': 0.02023, 'train': 0.05805},
                                 disk_gb={}),
               'popularity': Part(seconds={}, memory_gb={}, disk_gb={}),
               'als': Part(seconds={'fixed': 0.1643, 'als_gflop': 0.01276}, memory_gb={}, disk_gb={}),
               'item_knn': Part(seconds={'fixed': 0.1518, 'shared': 0.001914, 'scores': 0.001436},
                                memory_gb={},
                                disk_gb={}),
               'ease': Part(seconds={'fixed': 0.5361, 'gflop': 0.003051, 'scores': 0.007882},
                            memory_gb={},
                            disk_gb={}),
               'recent_items': Part(seconds={'fixed': 0.09435, 'train': 1.061, 'scores': 0.0005712},
                                    memory_gb={},
                                    disk_gb={}),
               'Pusher': Part(seconds={'fixed': 0.01943, 'parameters': 0.0004445, 'train': 0.002419},
                              memory_gb={},
                              disk_gb={'parameters': 0.00289})})

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
        speed=Speed(loop=0.0007118, product=0.004317),
        program_gb=1.142,
        parts={'Preprocess': Part(seconds={'fixed': 0.2785, 'rows': 0.08657, 'generated': 0.2557},
                                  memory_gb={'fixed': 0.01752, 'rows': 0.01796, 'ids': 0.5705},
                                  disk_gb={'fixed': 5.697e-06, 'rows': 0.004071, 'ids': 0.007757}),
               'NegativeGen': Part(seconds={'fixed': 0.6023, 'records': 0.005175, 'written': 0.01819},
                                   memory_gb={'fixed': 0.1012, 'records': 0.0001078, 'train': 0.005054},
                                   disk_gb={'records': 0.009071, 'written': 0.009206}),
               'drawing': Part(seconds={'fixed': 0.1558, 'drawn': 0.01345},
                               memory_gb={'fixed': 0.07637, 'at_once': 0.008974, 'train': 0.003951},
                               disk_gb={}),
               'Trainer': Part(seconds={'fixed': 4.292, 'decomposed_gflop': 0.002255, 'ranked': 0.002538},
                               memory_gb={'fixed': 0.4679, 'pairs': 0.02558, 'parameters': 0.0112},
                               disk_gb={'parameters': 0.001585}),
               'epoch': Part(seconds={'drawn': 0.3032, 'gflop': 0.01793}, memory_gb={}, disk_gb={}),
               'Evaluator': Part(seconds={'fixed': 1.415, 'gflop': 0.006693, 'train': 1.166},
                                 memory_gb={'fixed': 0.3419,
                                            'ease_cells': 0.000248,
                                            'parameters': 0.01787,
                                            'train': 0.0655},
                                 disk_gb={}),
               'popularity': Part(seconds={}, memory_gb={}, disk_gb={}),
               'als': Part(seconds={'fixed': 0.2827, 'als_gflop': 0.01298}, memory_gb={}, disk_gb={}),
               'item_knn': Part(seconds={'fixed': 0.4318, 'shared': 0.002188, 'scores': 0.0003525},
                                memory_gb={},
                                disk_gb={}),
               'ease': Part(seconds={'fixed': 0.5947, 'gflop': 0.003337, 'scores': 0.005978},
                            memory_gb={},
                            disk_gb={}),
               'recent_items': Part(seconds={'fixed': 0.09518, 'train': 1.051, 'scores': 0.0005872},
                                    memory_gb={},
                                    disk_gb={}),
               'Pusher': Part(seconds={'fixed': 0.005353, 'parameters': 0.001261},
                              memory_gb={},
                              disk_gb={'parameters': 0.002529})})

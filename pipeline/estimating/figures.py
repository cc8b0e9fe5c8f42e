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
        speed=Speed(loop=0.0007115, product=0.004237),
        program_gb=1.137,
        parts={'Preprocess': Part(seconds={'fixed': 0.2685, 'rows': 0.07279, 'generated': 0.1995},
                                  memory_gb={'fixed': 0.02778, 'rows': 0.007855, 'ids': 1.593},
                                  disk_gb={'fixed': 6.29e-06, 'rows': 0.004069, 'ids': 0.007706}),
               'NegativeGen': Part(seconds={'fixed': 0.5551, 'records': 0.005228, 'written': 0.02317},
                                   memory_gb={'fixed': 0.1016, 'records': 0.0004204, 'train': 0.003284},
                                   disk_gb={'records': 0.009068, 'written': 0.009216}),
               'drawing': Part(seconds={'fixed': 0.1724, 'drawn': 0.01173},
                               memory_gb={'fixed': 0.07526, 'at_once': 0.008738, 'train': 0.004293},
                               disk_gb={}),
               'Trainer': Part(seconds={'fixed': 4.369, 'pairs': 0.7605},
                               memory_gb={'fixed': 0.2497, 'pairs': 0.03292, 'train': 0.0187},
                               disk_gb={'parameters': 0.0006441, 'train': 0.004851}),
               'epoch': Part(seconds={'fixed': 0.005224, 'drawn': 0.3177}, memory_gb={}, disk_gb={}),
               'Evaluator': Part(seconds={'fixed': 0.451, 'gflop': 0.007667, 'train': 3.873},
                                 memory_gb={'fixed': 0.1949, 'ease_cells': 0.008595, 'train': 0.2208},
                                 disk_gb={}),
               'popularity': Part(seconds={}, memory_gb={}, disk_gb={}),
               'als': Part(seconds={'fixed': 0.6582, 'als_gflop': 0.01107}, memory_gb={}, disk_gb={}),
               'item_knn': Part(seconds={'fixed': 0.07234, 'shared': 0.0005119, 'scores': 0.01093},
                                memory_gb={},
                                disk_gb={}),
               'ease': Part(seconds={'fixed': 0.4516, 'gflop': 0.009987}, memory_gb={}, disk_gb={}),
               'recent_items': Part(seconds={'fixed': 0.1095, 'train': 0.8996, 'scores': 0.0008551},
                                    memory_gb={},
                                    disk_gb={}),
               'Pusher': Part(seconds={'fixed': 0.002303, 'parameters': 0.0007018, 'train': 0.00303},
                              memory_gb={},
                              disk_gb={'parameters': 0.001013, 'train': 0.009278})})

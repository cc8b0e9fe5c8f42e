"""Beam's worker pool on loopback; `apache_beam.runners.worker.worker_pool_main` listens on all addresses."""

import sys
import threading

import grpc
from apache_beam.portability.api import beam_fn_api_pb2_grpc
from apache_beam.runners.worker.worker_pool_main import BeamFnExternalWorkerPoolServicer
from apache_beam.utils import thread_pool_executor

_LASTING = [("grpc.http2.max_pings_without_data", 0), ("grpc.http2.max_ping_strikes", 0)]


def main(port: str) -> None:
    """Starts workers, each a process, until it is killed."""
    server = grpc.server(thread_pool_executor.shared_unbounded_instance(), options=_LASTING)
    server.add_insecure_port(f"127.0.0.1:{port}")
    pool = BeamFnExternalWorkerPoolServicer(use_process=True)
    beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(pool, server)
    server.start()
    threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1])

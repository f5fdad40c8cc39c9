"""The verb serve: a trained pipeline behind HTTP."""

from contextlib import suppress
from pathlib import Path

import typer

from ._shared.console.signals import Stopped


def serve_cli(
    pipeline: str = typer.Argument(..., metavar="PIPELINE", help="Folder of a pipeline, or name of an installed one."),
    host: str = typer.Option("127.0.0.1", help="Address to listen on. Others than this machine reach it without any "
                                               "password: put a web server with encryption before it."),
    port: int = typer.Option(8080, help="Port to listen on; 0 takes a free one."),
    batch_size: int = typer.Option(64, min=1, help="Most texts that are annotated together."),
    spans_key: str = typer.Option("sc", help="Key of the spans in Docs."),
    int8: bool = typer.Option(False, "--int8", help="Compute with weights rounded to 8 bits."),
    gpu_id: int = typer.Option(-1, "--gpu-id", "-g", min=-1, help="GPU, or -1 for the CPU."),
) -> None:
    """Serve a pipeline over HTTP; texts of requests that come together are annotated together.

    POST /annotate takes {"texts": [...]} and answers {"records": [{"text", "spans"}, ...]}, with "error" in place of
    "spans" for a text that fails. GET /health says what is served. Ctrl-C ends it, after the requests under way.

    Example: spacy-bioner serve training/pipeline --port 8080

    Prints the address.
    """
    from ..serving.app import Served, listen, make_app, name_address, serve
    from ..training.pipeline_loading import load_installed
    from ._shared.gpu import set_up_gpu
    from ._shared.scores.systems import check_spans_key

    taken = listen(host, port)
    set_up_gpu(gpu_id)
    served = Served(load_installed(pipeline, int8=int8), spans_key, batch_size)
    # This also loads what is loaded at the first use.
    check_spans_key(set(served.nlp("No fever.").spans), spans_key, system=pipeline)
    app = make_app(served) if host in ("127.0.0.1", "localhost", "::1") else make_app(served, hosts=("*",))
    # The port is printed, since 0 is one nobody knows.
    typer.echo(f"{Path(pipeline).name} answers on {name_address(host, taken.getsockname()[1])}/annotate")
    with suppress(Stopped):
        serve(app, taken)

# docker build --target forecast-only --tag forecast .    all but training, without TensorFlow
# docker build --target full --tag forecast .             everything
# Everything that is kept is in the volume /data, the working folder.

FROM python:3.12.12-slim-bookworm AS base
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN useradd --create-home --uid 10001 forecast && mkdir /data && chown forecast /data
COPY requirements/forecast-only.txt /tmp/pinned.txt
ENV FORECASTER_HOME=/data FORECASTER_LOG_FORMAT=json TZ=America/New_York
WORKDIR /data
VOLUME /data
HEALTHCHECK --interval=5m --timeout=10s CMD ["forecast", "doctor", "--quick", "--format", "json"]
ENTRYPOINT ["forecast"]
CMD ["batch", "watchlist.txt", "--output", "forecasts.csv", "--quiet", "--wait", "600", "--summary", "summary.json", "--metrics", "forecast.prom"]

FROM base AS wheel
COPY . /src
RUN pip wheel --no-deps --wheel-dir /dist /src

FROM base AS forecast-only
RUN pip install --no-deps --requirement /tmp/pinned.txt
COPY --from=wheel /dist /dist
RUN pip install --no-deps /dist/*.whl && rm -r /dist
USER forecast

FROM base AS full
COPY --from=wheel /dist /dist
RUN pip install --constraint /tmp/pinned.txt /dist/*.whl && rm -r /dist
USER forecast

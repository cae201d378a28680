# The grader in a container. With an NVIDIA card: --build-arg TORCH=cu126, and `docker run --gpus all`.
#
#   docker build -t slm-course .
#   docker run --rm -v "$PWD:/course" \
#     --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined \
#     slm-course grade
#
# The three options let student code be sealed off in namespaces of its own inside the container; nothing is privileged.
# Podman: --security-opt unmask=ALL instead of the third. What was tried: docs/ci.md.
ARG PYTHON=3.12
FROM python:${PYTHON}-slim
ARG TORCH=cpu
WORKDIR /opt/slm-course
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY grading_utils ./grading_utils
RUN pip install --no-cache-dir --constraint constraints.txt uv \
 && uv pip install --system --no-cache --torch-backend "$TORCH" --constraint constraints.txt torch \
 && uv pip install --system --no-cache --constraint constraints.txt ".[grade]"
WORKDIR /course
ENTRYPOINT ["grading-utils"]

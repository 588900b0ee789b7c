"""The HTTP side for machines: health, readiness and metrics. (The mini-program's API grows here.)"""

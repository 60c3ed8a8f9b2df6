"""Price quantiles by an exported network: python feed_export.py NETWORK PRICES.csv [TICKER].

Needs numpy, pandas, and onnxruntime for NETWORK.onnx or Keras for NETWORK.keras."""
import json
import sys

import numpy as np
import pandas as pd

network, prices, *ticker = sys.argv[1:]
about = json.load(open(f"{network}.json", encoding="utf-8"))
kept, scaling = about["representation"], about["representation"]["scaling"]
bars = pd.read_csv(prices, parse_dates=["Date"]).sort_values("Date").tail(about["bars"])
day = bars["Date"].to_numpy("datetime64[D]").astype(int)

def mean(x, half_life, start=0.0, weight=0.0):
    decay, total, out = 0.5 ** (1 / half_life), weight * start, []
    for value in x:
        total, weight = decay * total + value, decay * weight + 1
        out.append(total / weight)
    return np.array(out)

def echo(x, offsets):
    found, out = dict(zip(day.tolist(), x.tolist())), []
    for d in v["next_day"].tolist():
        past = [[found.get(d - 7 * w + k, -np.inf) for k in offsets] for w in (13, 26, 39, 52)]
        out.append(np.mean([max(x) for x in past if max(x) > -np.inf] or [0.0]))
    return np.array(out)

def month(days, unit="M"):
    return days.astype("M8[D]").astype("M8[M]").astype(f"M8[{unit}]").astype(int)

v = {name: getattr(np, name) for name in np.__all__ if name != "core"}
v |= {name[0]: bars[name].to_numpy(float) for name in ("Open", "High", "Low", "Close", "Volume")}
v |= {"P": bars.get("Adj Close", bars["Close"]).to_numpy(float), "prior": scaling.get("prior")}
v |= {"day": day, "first": day == day[0], "mean": mean, "echo": echo, "month": month}
v["mean_after"] = lambda x, h, start, weight: np.append(start, mean(x[1:], h, start, weight))
v["before"] = lambda x, start: np.append(start, x[:-1])
v["age"] = lambda x: np.minimum(v["next_day"] - np.maximum.accumulate(np.where(x, day, -1e5)), 182)
v["day_of_month"] = lambda days: days - month(days, "D")
with np.errstate(all="ignore"):
    for name, formula in about["definitions"].items():
        v[name] = eval(formula, v)
    if ticker and ticker[0] in scaling.get("fitted", {}):
        v["offset"], v["width"] = (np.full(len(day), x) for x in scaling["fitted"][ticker[0]])
    x = np.column_stack([np.zeros(len(day)) + eval(f, v) for f in about["formulas"].values()])
limit = about["limit"] or np.inf
x = np.clip((x - kept["mean"]) / kept["deviation"], -limit, limit)
x[:, [name.startswith("companions") for name in kept["features"]]] = 0
x = x[None, -about["context"] :].astype(np.float32)
if network.endswith(".onnx"):
    from onnxruntime import InferenceSession
    session = InferenceSession(network)
    y = session.run(None, {session.get_inputs()[0].name: x})[0][0]
else:
    from keras.saving import load_model
    y = load_model(network).predict(x, verbose=0)[0]
v |= {key: x[-1] for key, x in v.items() if getattr(x, "shape", 0) == day.shape}
v |= {"y": y[-1] if about["whole_sequence"] else y, "h": 1 + np.arange(about["horizon"])[:, None]}
print(pd.DataFrame(eval(about["price"], v), columns=about["quantiles"]).to_csv(index=False))

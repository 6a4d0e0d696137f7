"""Small training scripts as people write them, each with the reading that is right.

Every entry is (name, source, expected); `expected` holds the fields of the reading that are asserted.  The
fields that are left out are asserted to be empty.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Script:
    """A script and what is to be read from it."""

    name: str
    source: str
    loss: str = "loss"
    gradient: str = "gradient"
    given: dict[str, str] = field(default_factory=dict)
    args: dict[str, str] = field(default_factory=dict)
    loss_args: dict[str, str] = field(default_factory=dict)
    given_args: dict[str, dict[str, str]] = field(default_factory=dict)
    wrt: tuple[str, ...] = ("w",)
    shapes: dict[str, tuple[str | int, ...]] = field(default_factory=dict)
    dtypes: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    rates: dict[str, str] = field(default_factory=dict)
    options: dict[str, object] = field(default_factory=dict)


FUNCTIONS = """
import numpy as np

LR = 0.01

def forward(x, w):
    return np.matmul(x, w)

def loss(y_pred, y):
    return (0.5*(y_pred-y)**2).sum()

def gradient(x, y, y_pred):
    return np.matmul(x.T, (y_pred-y))
"""

DATA = """
x = np.array([[1, 2], [2, 3], [4, 6], [3, 1]], dtype=np.float32)
y = np.array([[8], [13], [26], [9]], dtype=np.float32)
w = np.random.rand(2, 1)
"""

LOOP = """
for i in range(500):
    y_pred = forward(x, w)
    l = loss(y_pred, y)
    print(l)
    grad = gradient(x, y, y_pred)
    w -= LR*grad
"""

TUTORIAL = {"x": ("n", "d"), "y": ("n", 1), "w": ("d", 1)}
FLOATS = {"x": "float32", "y": "float32"}


def indented(text: str) -> str:
    """A block, one level deeper."""
    return "".join("    " + line if line.strip() else line for line in text.splitlines(keepends=True))


def variant(name: str, update: str, rate: str = "LR") -> Script:
    """The tutorial with another update line."""
    return Script(
        name,
        FUNCTIONS + DATA + LOOP.replace("w -= LR*grad", update),
        given={"y_pred": "forward"},
        shapes=TUTORIAL,
        dtypes=FLOATS,
        rates={"w": rate},
    )


SCRIPTS = [
    variant("top-level loop", "w -= LR*grad"),
    variant("assigned", "w = w - LR*grad"),
    variant("rate last", "w = w - grad * LR"),
    variant("added negative", "w += -LR*grad"),
    variant("added negative literal", "w += -0.1*grad", "0.1"),
    variant("in place", "w[...] -= LR*grad"),
    variant("slice", "w[:] = w - LR * grad"),
    variant("subtract out", "np.subtract(w, LR*grad, out=w)"),
    variant("multiply", "w = np.subtract(w, np.multiply(LR, grad))"),
    variant("no rate", "w -= grad", "1"),
    variant("decaying rate", "w -= LR / (1 + 0.1 * i) * grad", "LR / (1 + 0.1 * i)"),
    variant("negated gradient", "step = -LR * grad\n    w = w + step"),
    variant("new then old", "w_new = w - LR * grad\n    w = w_new"),
    variant("clipped", "w -= LR * np.clip(grad, -1, 1)"),
    variant("rescaled", "w -= LR * grad / np.linalg.norm(grad)"),
    Script(
        "guard",
        FUNCTIONS + '\nif __name__ == "__main__":' + indented(DATA + LOOP),
        given={"y_pred": "forward"},
        shapes=TUTORIAL,
        dtypes=FLOATS,
    ),
    Script(
        "main function",
        FUNCTIONS + "\ndef main():" + indented(DATA + LOOP) + "\nif '__main__' == __name__:\n    main()\n",
        given={"y_pred": "forward"},
        shapes=TUTORIAL,
        dtypes=FLOATS,
    ),
    Script(
        "train function with arguments",
        FUNCTIONS
        + "\ndef train(x, y, w, lr, steps):\n    losses = []\n    for _ in range(steps):\n"
        + "        y_pred = forward(x, w)\n        losses.append(loss(y_pred, y))\n"
        + "        w = w - lr * gradient(x, y, y_pred)\n    return w, losses\n"
        + DATA
        + "w, losses = train(x, y, w, LR, 100)\nprint(loss(forward(x, w), y))\n",
        given={"y_pred": "forward"},
        shapes=TUTORIAL,
        dtypes=FLOATS,
        rates={"w": "LR"},
    ),
    Script(
        "chinese names and comments, three inputs, two outputs, a bias",
        '''
import numpy as np

学习率 = 0.05  # learning rate

def 前向(特征, 权重, 偏置):
    """线性模型"""
    return 特征 @ 权重 + 偏置

def 损失(预测, 标签):
    return np.mean((预测 - 标签) ** 2)

def 梯度(特征, 标签, 预测):
    误差 = 2 * (预测 - 标签) / 标签.size
    return 特征.T @ 误差, 误差.sum(axis=0)

特征 = np.array([[1., 2., 3.], [4., 5., 6.], [7., 8., 10.], [1., 0., 2.], [0., 1., 1.]])
标签 = np.array([[1., 0.], [0., 1.], [1., 1.], [2., 0.], [0., 2.]])
权重 = np.zeros((3, 2))
偏置 = np.zeros(2)
for 轮 in range(1000):
    预测 = 前向(特征, 权重, 偏置)
    if 轮 % 100 == 0:
        print(f"{轮}: {损失(预测, 标签)}")
    d权重, d偏置 = 梯度(特征, 标签, 预测)
    权重 -= 学习率 * d权重
    偏置 -= 学习率 * d偏置
''',
        loss="损失",
        gradient="梯度",
        given={"预测": "前向"},
        wrt=("权重", "偏置"),
        shapes={"特征": ("n", "d"), "标签": ("n", "k"), "权重": ("d", "k"), "偏置": ("k",)},
        rates={"权重": "学习率", "偏置": "学习率"},
    ),
    Script(
        "renamed arguments",
        """
import numpy as np
def predict(A, theta):
    return A.dot(theta)
def mse(a, b):
    return ((a - b) ** 2).mean()
def grad_mse(A, target, out):
    return 2 / len(A) * A.T.dot(out - target)
X = np.random.randn(100, 3)
true_theta = np.array([[1.0], [2.0], [3.0]])
Y = X @ true_theta + 0.1 * np.random.randn(100, 1)
theta = np.zeros((X.shape[1], 1))
history = []
for epoch in range(200):
    out = predict(X, theta)
    history.append(mse(out, Y))
    theta -= 0.1 * grad_mse(X, Y, out)
""",
        loss="mse",
        gradient="grad_mse",
        given={"out": "predict"},
        args={"A": "X", "target": "Y"},
        loss_args={"a": "out", "b": "Y"},
        given_args={"out": {"A": "X"}},
        wrt=("theta",),
        shapes={"X": ("n", "d"), "Y": ("n", 1), "theta": ("d", 1)},
        rates={"theta": "0.1"},
    ),
    Script(
        "order of results and keywords",
        """
import numpy as np
def model(x, w, b):
    return x @ w + b
def cost(pred, y):
    return 0.5 * np.sum((pred - y) ** 2)
def grads(x, y, pred):
    e = pred - y
    db = e.sum()
    dw = x.T @ e
    return db, dw
x = np.ones((6, 2)); y = np.arange(6.0); w = np.zeros(2); b = 0.0
lr = 1e-3
for step in range(10):
    pred = model(x, w, b=b)
    c = cost(y=y, pred=pred)
    print("cost", c)
    db, dw = grads(x, pred=pred, y=y)
    w -= lr * dw
    b -= lr * db
""",
        loss="cost",
        gradient="grads",
        given={"pred": "model"},
        wrt=("b", "w"),
        shapes={"x": ("n", "d"), "y": ("n",), "w": ("d",), "b": ()},
        rates={"w": "lr", "b": "lr"},
    ),
    Script(
        "dict of gradients",
        """
import numpy as np
def forward(x, w, b):
    return np.dot(x, w) + b
def loss(y_pred, y):
    return np.sum(np.square(y_pred - y))
def backward(x, y, y_pred):
    d = 2 * (y_pred - y)
    return {"dw": x.T @ d, "db": d.sum(axis=0, keepdims=True)}
rng = np.random.default_rng(0)
x = rng.normal(size=(20, 4))
y = rng.normal(size=(20, 1))
w = rng.normal(size=(4, 1))
b = np.zeros((1, 1))
for i in range(100):
    y_pred = forward(x, w, b)
    print(loss(y_pred, y))
    grads = backward(x, y, y_pred)
    w -= 0.01 * grads["dw"]
    b -= 0.01 * grads["db"]
""",
        gradient="backward",
        given={"y_pred": "forward"},
        wrt=("w", "b"),
        keys={"w": "dw", "b": "db"},
        shapes={"x": ("n", "d"), "y": ("n", 1), "w": ("d", 1), "b": (1, 1)},
    ),
    Script(
        "loss and gradient of the parameters alone",
        """
import numpy as np
def loss(x, y, w):
    return 0.5 * np.sum((x @ w - y) ** 2)
def gradient(x, y, w):
    return x.T @ (x @ w - y)
x = np.random.uniform(-1, 1, (50, 5))
y = np.random.uniform(-1, 1, (50,))
w = np.random.uniform(-1, 1, 5)
for _ in range(10):
    w = w - 0.01 * gradient(x, y, w)
    print("loss: %f" % loss(x, y, w))
""",
        shapes={"x": ("n", "d"), "y": ("n",), "w": ("d",)},
    ),
    Script(
        "inlined at the call site",
        FUNCTIONS
        + DATA
        + """
for i in range(10):
    print(i, loss(forward(x, w), y))
    w -= LR * gradient(x, y, forward(x, w))
""",
        given={"y_pred": "forward"},
        shapes=TUTORIAL,
        dtypes=FLOATS,
    ),
    Script(
        "nested givens of a two-layer network",
        """
import numpy as np
def hidden(x, w1):
    return np.tanh(x @ w1)
def out(h, w2):
    return h @ w2
def loss(y_pred, y):
    return 0.5 * ((y_pred - y) ** 2).sum()
def gradient(x, y, h, y_pred, w2):
    delta = y_pred - y
    return x.T @ ((delta @ w2.T) * (1 - h ** 2)), h.T @ delta
D, H, K = 3, 8, 2
x = np.random.randn(30, D)
y = np.random.randn(30, K)
w1 = np.random.randn(D, H) * 0.1
w2 = np.random.randn(H, K) * 0.1
for i in range(100):
    h = hidden(x, w1)
    y_pred = out(h, w2)
    if i % 10 == 0:
        print(loss(y_pred, y))
    g1, g2 = gradient(x, y, h, y_pred, w2)
    w1 -= 0.01 * g1
    w2 -= 0.01 * g2
""",
        given={"h": "hidden", "y_pred": "out"},
        wrt=("w1", "w2"),
        shapes={"x": ("n", "d"), "y": ("n", "k"), "w1": ("d", "m"), "w2": ("m", "k")},
    ),
    Script(
        "square data by accident",
        FUNCTIONS
        + """
x = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [9, 1, 2, 3], [4, 5, 6, 8]])
y = np.array([[1], [2], [3], [4]])
w = np.zeros((4, 1))
"""
        + LOOP,
        given={"y_pred": "forward"},
        shapes=TUTORIAL,
    ),
    Script(
        "minibatches",
        FUNCTIONS
        + """
N, D = 64, 5
x = np.random.randn(N, D)
y = np.random.randn(N, 1)
w = np.zeros((D, 1))
batch = 16
for epoch in range(10):
    order = np.random.permutation(N)
    for i in range(0, N, batch):
        rows = order[i:i + batch]
        xb, yb = x[rows], y[rows]
        y_pred = forward(xb, w)
        w -= LR * gradient(xb, yb, y_pred)
    print(epoch, loss(forward(x, w), y))
""",
        given={"y_pred": "forward"},
        shapes=TUTORIAL,
    ),
    Script(
        "slices as batches, train and test rows",
        FUNCTIONS
        + """
x = np.random.randn(100, 3)
y = np.random.randn(100, 1)
x_train, x_test = x[:80], x[80:]
y_train, y_test = y[:80], y[80:]
w = np.zeros((3, 1))
for epoch in range(10):
    for i in range(0, 80, 8):
        xb = x_train[i:i+8]
        yb = y_train[i:i+8]
        y_pred = forward(xb, w)
        train_loss = loss(y_pred, yb)
        w -= LR * gradient(xb, yb, y_pred)
    print(epoch, train_loss, loss(forward(x_test, w), y_test))
""",
        given={"y_pred": "forward"},
        shapes=TUTORIAL,
    ),
    Script(
        "columns of one table",
        FUNCTIONS
        + """
data = np.array([[1., 2., 8.], [2., 3., 13.], [4., 6., 26.]])
x = data[:, :2]
y = data[:, 2:]
w = np.zeros((2, 1))
"""
        + LOOP,
        given={"y_pred": "forward"},
        shapes=TUTORIAL,
    ),
    Script(
        "a loss and a metric",
        FUNCTIONS
        + """
def r2_score(y_pred, y):
    return 1 - ((y - y_pred) ** 2).sum() / ((y - y.mean()) ** 2).sum()
"""
        + DATA
        + LOOP.replace("print(l)", "print(l, r2_score(y_pred, y))"),
        given={"y_pred": "forward"},
        shapes=TUTORIAL,
        dtypes=FLOATS,
    ),
    Script(
        "forward written out",
        """
import numpy as np
lr = 0.1
def loss(p, y):
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
def sigmoid(z):
    return 1 / (1 + np.exp(-z))
def gradient(x, p, y):
    return x.T @ (p - y) / len(y)
x = np.asarray([[0., 0.], [0., 1.], [1., 0.], [1., 1.]])
y = np.asarray([[0.], [1.], [1.], [1.]])
w = np.full((2, 1), 0.5)
for i in range(100):
    p = sigmoid(x @ w)
    print(loss(p, y))
    w -= lr * gradient(x, p, y)
""",
        given={"z": "z", "p": "sigmoid"},
        shapes=TUTORIAL,
    ),
    Script(
        "loss written out",
        """
import numpy as np
def forward(x, w):
    return x @ w
def gradient(x, y, y_pred):
    return x.T @ (y_pred - y)
x = np.random.rand(10, 3)
y = np.random.rand(10, 1)
w = np.zeros((3, 1))
for i in range(100):
    y_pred = forward(x, w)
    total = 0.5 * ((y_pred - y) ** 2).sum()
    print(i, total)
    w -= 0.1 * gradient(x, y, y_pred)
""",
        loss="total",
        given={"y_pred": "forward"},
        shapes=TUTORIAL,
    ),
    Script(
        "numbers as parameters",
        """
import numpy as np
def predict(x, a, b):
    return a * x + b
def loss(x, y, a, b):
    return np.mean((predict(x, a, b) - y) ** 2)
def gradient(x, y, a, b):
    r = predict(x, a, b) - y
    return 2 * np.mean(r * x), 2 * np.mean(r)
x = np.linspace(0, 1, 20)
y = 3 * x + 1
a, b = 0.0, 0.0
eta = 0.5
for _ in range(100):
    da, db = gradient(x, y, a, b)
    a, b = a - eta * da, b - eta * db
print(a, b, loss(x, y, a, b))
""",
        wrt=("a", "b"),
        shapes={"x": ("n",), "y": ("n",), "a": (), "b": ()},
        rates={"a": "eta", "b": "eta"},
    ),
    Script(
        "ridge with a constant, an argument with a default",
        """
import numpy as np
def loss(x, y, w, lam=0.1):
    r = x @ w - y
    return 0.5 * np.sum(r * r) + 0.5 * lam * np.sum(w * w)
def gradient(x, y, w, lam=0.1):
    return x.T @ (x @ w - y) + lam * w
lam = 0.3
x = np.eye(4); y = np.ones((4, 1)); w = np.zeros((4, 1))
for _ in range(100):
    w -= 0.1 * gradient(x, y, w, lam)
    print(loss(x, y, w, lam))
""",
        shapes={"x": ("n", "d"), "y": ("n", 1), "w": ("d", 1), "lam": ()},
    ),
    Script(
        "momentum",
        FUNCTIONS
        + DATA
        + "v = np.zeros_like(w)\n"
        + LOOP.replace("w -= LR*grad", "v = 0.9 * v + grad\n    w -= LR * v"),
        given={"y_pred": "forward"},
        shapes=TUTORIAL,
        dtypes=FLOATS,
        rates={"w": "LR"},
    ),
    Script(
        "adam",
        FUNCTIONS
        + DATA
        + "m = np.zeros_like(w)\nv = np.zeros_like(w)\nb1, b2, eps = 0.9, 0.999, 1e-8\n"
        + LOOP.replace(
            "w -= LR*grad",
            "m = b1 * m + (1 - b1) * grad\n    v = b2 * v + (1 - b2) * grad ** 2\n"
            "    m_hat = m / (1 - b1 ** (i + 1))\n    v_hat = v / (1 - b2 ** (i + 1))\n"
            "    w -= LR * m_hat / (np.sqrt(v_hat) + eps)",
        ),
        given={"y_pred": "forward"},
        shapes=TUTORIAL,
        dtypes=FLOATS,
    ),
    Script(
        "updates in a loop over parameters",
        """
import numpy as np
def forward(x, w, b):
    return x @ w + b
def loss(y_pred, y):
    return 0.5 * ((y_pred - y) ** 2).sum()
def gradient(x, y, y_pred):
    e = y_pred - y
    return x.T @ e, e.sum(0)
x = np.random.rand(10, 3); y = np.random.rand(10, 2); w = np.zeros((3, 2)); b = np.zeros(2)
for i in range(100):
    y_pred = forward(x, w, b)
    print(loss(y_pred, y))
    for p, g in zip([w, b], gradient(x, y, y_pred)):
        p -= 0.1 * g
""",
        given={"y_pred": "forward"},
        wrt=("w", "b"),
        shapes={"x": ("n", "d"), "y": ("n", "k"), "w": ("d", "k"), "b": ("k",)},
    ),
    Script(
        "an update function",
        FUNCTIONS
        + "\ndef sgd(param, g, lr):\n    return param - lr * g\n"
        + DATA
        + LOOP.replace("w -= LR*grad", "w = sgd(w, grad, LR)"),
        given={"y_pred": "forward"},
        shapes=TUTORIAL,
        dtypes=FLOATS,
        rates={"w": "LR"},
    ),
    Script(
        "a step function",
        FUNCTIONS
        + """
def step(x, y, w):
    y_pred = forward(x, w)
    return w - LR * gradient(x, y, y_pred), loss(y_pred, y)
"""
        + DATA
        + "for _ in range(100):\n    w, value = step(x, y, w)\n    print(value)\n",
        given={"y_pred": "forward"},
        shapes=TUTORIAL,
        dtypes=FLOATS,
        rates={"w": "LR"},
    ),
    Script(
        "one column of ones in front of the data",
        """
import numpy as np
def loss(X, y, theta):
    return np.mean((X @ theta - y) ** 2) / 2
def gradient(X, y, theta):
    return X.T @ (X @ theta - y) / X.shape[0]
raw = np.random.rand(30, 2)
X = np.hstack([np.ones((30, 1)), raw])
y = np.random.rand(30)
theta = np.zeros(X.shape[1])
while loss(X, y, theta) > 1e-3:
    theta = theta - 0.1 * gradient(X, y, theta)
""",
        wrt=("theta",),
        shapes={"X": ("n", "d"), "y": ("n",), "theta": ("d",)},
    ),
    Script(
        "a global size ties the shape",
        """
import numpy as np
N = 6
def loss(x, y, w):
    return np.sum((x @ w - y) ** 2) / N
def gradient(x, y, w):
    return 2 * x.T @ (x @ w - y) / N
x = np.random.rand(N, 2); y = np.random.rand(N, 1); w = np.zeros((2, 1))
for _ in range(9):
    print(loss(x, y, w))
    w -= 0.1 * gradient(x, y, w)
""",
        shapes={"x": (6, "d"), "y": (6, 1), "w": ("d", 1)},
    ),
    Script(
        "a global length ties the shape",
        """
import numpy as np
def loss(x, y, w):
    return np.mean((x @ w - y) ** 2)
def gradient(x, y, w):
    return 2 * x.T @ (x @ w - y) / m
x = np.random.rand(7, 2); y = np.random.rand(7, 1); w = np.zeros((2, 1))
m = len(x)
for _ in range(9):
    print(loss(x, y, w))
    w -= 0.1 * gradient(x, y, w)
""",
        shapes={"x": (7, "d"), "y": (7, 1), "w": ("d", 1)},
    ),
    Script(
        "a number by which the gradient divides",
        FUNCTIONS.replace(".sum()", ".mean()").replace(
            "np.matmul(x.T, (y_pred-y))", "np.matmul(x.T, (y_pred-y)) / 4"
        )
        + DATA
        + LOOP,
        given={"y_pred": "forward"},
        shapes={"x": (4, "d"), "y": (4, 1), "w": ("d", 1)},
        dtypes=FLOATS,
    ),
    Script(
        "packages that are not there",
        "import matplotlib_that_is_not_there.pyplot as plt\nfrom nowhere_at_all import *\n"
        + FUNCTIONS
        + DATA
        + LOOP
        + "plt.plot(x, y)\nplt.show()\nopen('results.txt', 'w').write(str(w))\n",
        given={"y_pred": "forward"},
        shapes=TUTORIAL,
        dtypes=FLOATS,
    ),
    Script(
        "lambdas and aliases",
        """
from numpy import array, matmul, zeros, float32
forward = lambda x, w: matmul(x, w)
loss = lambda y_pred, y: (0.5*(y_pred-y)**2).sum()
gradient = lambda x, y, y_pred: matmul(x.T, y_pred-y)
x = array([[1, 2], [2, 3], [4, 6]], float32)
y = float32([[8], [13], [26]])
w = zeros((2, 1), dtype=float32)
for i in range(3):
    y_pred = forward(x, w)
    print(loss(y_pred, y))
    w -= .01 * gradient(x, y, y_pred)
""",
        given={"y_pred": "forward"},
        shapes=TUTORIAL,
        dtypes={"x": "float32", "y": "float32", "w": "float32"},
    ),
    Script(
        "reshaped literals",
        FUNCTIONS
        + """
x = np.array([1, 2, 2, 3, 4, 6, 3, 1]).reshape(4, 2).astype(np.float64)
y = np.array([[8, 13, 26, 9]]).T
w = np.zeros(2).reshape(-1, 1)
"""
        + LOOP,
        given={"y_pred": "forward"},
        shapes=TUTORIAL,
        dtypes={"x": "float64"},
    ),
    Script(
        "a function that nobody calls",
        """
import numpy as np
def loss(x, y, w):
    return np.sum((x @ w - y) ** 2)
def gradient(x, y, w):
    return 2 * x.T @ (x @ w - y)
def fit(x, y, w, lr=0.1):
    for _ in range(100):
        print(loss(x, y, w))
        w -= lr * gradient(x, y, w)
    return w
""",
        shapes={"x": ("n", "d"), "y": ("n", 1), "w": ("d", 1)},
        options={"shapes": {"x": "n d", "y": ("n", 1), "w": ("d", 1)}},
    ),
    Script(
        "options say everything",
        """
import numpy as np
def objective(x, y, w, b):
    return np.sum((x @ w + b - y) ** 2)
def slope(x, y, w, b):
    r = x @ w + b - y
    return 2 * x.T @ r, 2 * r.sum(0)
""",
        loss="objective",
        gradient="slope",
        wrt=("w", "b"),
        shapes={"x": ("n", "d"), "y": ("n", 1), "w": ("d", 1), "b": (1,)},
        options={
            "gradient": "slope",
            "loss": "objective",
            "wrt": ["w", "b"],
            "shapes": {"x": "n d", "y": "n 1", "w": "d, 1", "b": 1 * (1,)},
        },
    ),
    Script(
        "the option chooses between losses",
        FUNCTIONS
        + "\ndef total(y_pred, y):\n    return np.abs(y_pred - y).sum()\n"
        + DATA
        + LOOP.replace("print(l)", "print(l, total(y_pred, y))"),
        loss="total",
        given={"y_pred": "forward"},
        shapes=TUTORIAL,
        dtypes=FLOATS,
        options={"loss": "total"},
    ),
    Script(
        "a factor in the update, the gradient named",
        FUNCTIONS + DATA + LOOP.replace("w -= LR*grad", "w -= 2 * LR * grad / len(x)"),
        given={"y_pred": "forward"},
        shapes=TUTORIAL,
        dtypes=FLOATS,
        rates={"w": "LR"},
        options={"gradient": "gradient"},
    ),
]

/* chromium.js - a headless Chromium, driven over its debugging pipe: messages of JSON that end with a
 * zero byte, on descriptors 3 (to it) and 4 (from it). No package beyond Node is used. */
'use strict';
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

/* The browser's name, or '' where none is installed. */
function chromiumFind() {
    const names = process.env.OGPT_CHROMIUM ? [process.env.OGPT_CHROMIUM] : ['chromium', 'chromium-browser', 'google-chrome'];
    return names.find((name) => spawnSync(name, ['--version']).status === 0) || '';
}

class Chromium {
    constructor(name) {
        this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ogpt-chromium-'));
        this.process = spawn(name, ['--headless=new', '--no-sandbox', '--disable-gpu', '--remote-debugging-pipe',
            '--no-first-run', '--disable-extensions', '--disable-background-networking', '--disable-component-update',
            '--disable-dev-shm-usage', '--hide-scrollbars', `--user-data-dir=${this.folder}`, 'about:blank'],
        { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
        this.waiting = new Map();
        this.next = 1;
        let rest = '';
        this.process.stdio[4].setEncoding('utf8').on('data', (data) => {
            const messages = (rest + data).split('\0');
            rest = messages.pop();
            messages.forEach((message) => this.take(JSON.parse(message)));
        });
        this.pages = new Map();
    }

    take(message) {
        const one = this.waiting.get(message.id);
        this.waiting.delete(message.id);
        if (one && message.error) {
            one.reject(new Error(`${one.method}: ${message.error.message}`));
        } else if (one) {
            one.resolve(message.result);
        } else {
            this.pages.get(message.sessionId)?.event(message.method, message.params);
        }
    }

    send(method, params = {}, sessionId = undefined) {
        return new Promise((resolve, reject) => {
            const id = this.next++;
            this.waiting.set(id, { resolve, reject, method });
            this.process.stdio[3].write(JSON.stringify({ id, method, params, sessionId }) + '\0');
        });
    }

    /* A tab of its own, with all its requests, errors and messages of the console kept. */
    async page({ width = 1280, height = 800, dark = false } = {}) {
        const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' });
        const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true });
        const page = new Page(this, sessionId, targetId);
        this.pages.set(sessionId, page);
        for (const domain of ['Page', 'Runtime', 'Network', 'Log', 'DOM', 'Accessibility']) {
            await page.send(`${domain}.enable`);
        }
        await page.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false });
        await page.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }] });
        return page;
    }

    async close() {
        const gone = new Promise((resolve) => this.process.once('exit', resolve));
        this.send('Browser.close').catch(() => {});
        const limit = setTimeout(() => this.process.kill('SIGKILL'), 5000);
        await gone;
        clearTimeout(limit);
        fs.rmSync(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    }
}

class Page {
    constructor(browser, sessionId, targetId) {
        Object.assign(this, { browser, sessionId, targetId, requests: [], errors: [] });
    }

    send(method, params) {
        return this.browser.send(method, params, this.sessionId);
    }

    event(method, params) {
        if (method === 'Network.requestWillBeSent') {
            this.requests.push(params.request.url);
        } else if (method === 'Runtime.exceptionThrown') {
            const { exceptionDetails: it } = params;
            this.errors.push(`${it.text} ${it.exception?.description || ''}`);
        } else if (method === 'Runtime.consoleAPICalled' && ['error', 'warning', 'assert'].includes(params.type)) {
            this.errors.push(params.args.map((arg) => arg.value ?? arg.description).join(' '));
        } else if (method === 'Log.entryAdded' && ['error', 'warning'].includes(params.entry.level)) {
            this.errors.push(`${params.entry.text} ${params.entry.url || ''}`);
        }
    }

    /* The value of an expression in the page; promises are awaited, errors thrown here. */
    async eval(expression) {
        const { result, exceptionDetails } = await this.send('Runtime.evaluate',
            { expression, awaitPromise: true, returnByValue: true, userGesture: true });
        if (exceptionDetails) {
            throw new Error(exceptionDetails.exception?.description || exceptionDetails.text);
        }
        return result.value;
    }

    async until(expression, seconds = 20) {
        for (const end = Date.now() + 1000 * seconds; Date.now() < end;) {
            if (await this.eval(expression).catch(() => false)) {
                return;
            }
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
        throw new Error(`after ${seconds} s not so: ${expression}\n${this.errors.join('\n')}`);
    }

    /* Open a file and wait until the page has drawn its first board. Returns its milliseconds. */
    async open(file, fragment = '') {
        await this.send('Page.navigate', { url: `file://${encodeURI(file)}${fragment}` });
        await this.until("document.documentElement.dataset.ready && !document.documentElement.dataset.busy");
        return Number(await this.eval('document.documentElement.dataset.ready'));
    }

    async settle() {
        await this.until('!document.documentElement.dataset.busy');
    }

    /* A real click at the middle of an element. */
    async click(selector) {
        const at = await this.eval(`(() => { const e = document.querySelector(${JSON.stringify(selector)}); e.scrollIntoView({ block: 'center' });
            const r = e.getBoundingClientRect(); return { x: r.x + r.width / 2, y: r.y + r.height / 2 }; })()`);
        for (const type of ['mousePressed', 'mouseReleased']) {
            await this.send('Input.dispatchMouseEvent', { type, ...at, button: 'left', clickCount: 1 });
        }
        await this.settle();
    }

    async key(key, { code = key, text = undefined, shift = false } = {}) {
        const codes = { Enter: 13, Tab: 9, ' ': 32, ArrowLeft: 37, ArrowUp: 38, ArrowRight: 39, ArrowDown: 40 };
        const one = { key, code, windowsVirtualKeyCode: codes[key], modifiers: shift ? 8 : 0 };
        await this.send('Input.dispatchKeyEvent', { type: 'keyDown', ...one, text: text ?? (key === 'Enter' ? '\r' : key === ' ' ? ' ' : undefined) });
        await this.send('Input.dispatchKeyEvent', { type: 'keyUp', ...one });
        await this.settle();
    }

    async shot(file, whole = false) {
        const { data } = await this.send('Page.captureScreenshot', { format: 'png', captureBeyondViewport: whole });
        fs.writeFileSync(file, Buffer.from(data, 'base64'));
    }
}

module.exports = { Chromium, chromiumFind };

// Does the script name anything that the oldest of its browsers lack? `npm run check` asks. What TypeScript says is the
// browser's is held against MDN's data. Syntax is esbuild's to mend, but for regular expressions.

import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type Node, SyntaxKind } from "typescript/unstable/ast";
import {
  isBindingElement,
  isIdentifier,
  isInterfaceDeclaration,
  isObjectLiteralExpression,
  isPropertyAccessExpression,
  isPropertyAssignment,
  isRegularExpressionLiteral,
  isTypeAliasDeclaration,
  isTypeNode,
} from "typescript/unstable/ast/is";
import { API, type Checker, type Symbol as Name } from "typescript/unstable/sync";
import { find, lacking, type Targets } from "./support.mts";

/** What older browsers lack, and the script does without there. */
const HAS_ANOTHER_WAY = new Set([
  "api.Request.keepalive", // Firefox from 133 on: else outbox.ts sends beacons
]);
/** What MDN does not tell, or under the name of something else. All of it is older than the browsers. */
const KNOWN = new Set([
  "PerformanceObserverInit.type", // Chrome 52, Firefox 57, Safari 11
  "PerformanceObserverInit.buffered", // Chrome 77, Firefox 74, Safari 14.1
  "RequestInit.body", // with fetch itself
  "GlobalEventHandlers.onload",
  "GlobalEventHandlers.onerror",
  ...["configurable", "enumerable", "get", "set", "value", "writable"].map((name) => `PropertyDescriptor.${name}`),
]);
/** What TypeScript has under another name: by what it calls the owner, what MDN does. */
const OWNERS: Record<string, string> = {
  CallableFunction: "Function",
  Console: "console",
  HTMLOrSVGElement: "HTMLElement",
  Int32Array: "TypedArray",
  NavigatorOnLine: "Navigator",
  ParentNode: "Element",
  ProxyHandler: "Proxy.handler",
  ReadonlyArray: "Array",
  RegExpExecArray: "Array",
  Uint8Array: "TypedArray",
};
/** From these most things of a page have what is not told of themselves. */
const INHERITED = ["api.EventTarget", "api.Node"];
const NOBODYS = new Set(["undefined", "arguments", "prototype"]);
const LOOKBEHIND = "javascript.regular_expressions.lookbehind_assertion";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Something that is named: how to show it, and by which names MDN may know it, for each thing that it may belong to. */
interface Use {
  shown: string;
  names: string[][];
}

/** As esbuild is told; browsers of telephones have the same numbers. */
function readTargets(): Targets {
  const { scripts } = JSON.parse(readFileSync(`${root}package.json`, "utf-8")) as { scripts: Record<string, string> };
  const told = /--target=(\S+)/.exec(scripts["build:script"] as string)?.[1] as string;
  const targets: Targets = {};
  for (const [, browser, version] of told.matchAll(/([a-z]+)(\d+)/g)) {
    targets[browser as string] = Number(version);
    if (browser !== "edge") targets[browser === "safari" ? "safari_ios" : `${browser}_android`] = Number(version);
  }
  return targets;
}

/** A node and all below it that can run. */
function* running(node: Node): Generator<Node> {
  if (isTypeNode(node) || isInterfaceDeclaration(node) || isTypeAliasDeclaration(node)) return;
  if (node.kind === SyntaxKind.ImportDeclaration) return;
  yield node;
  const children: Node[] = [];
  node.forEachChild((child) => {
    children.push(child);
  });
  for (const child of children) yield* running(child);
}

/** What a node names of the browser; undefined where it names nothing, or something of ours. */
function useOf(checker: Checker, node: Node): Use | undefined {
  if (isRegularExpressionLiteral(node))
    return /\(\?<[=!]/.test(node.text) ? { shown: node.text, names: [[LOOKBEHIND]] } : undefined;
  const name = isIdentifier(node) ? nameOf(checker, node) : undefined;
  if (!name || NOBODYS.has(name.name) || !name.declarations.length) return undefined;
  if (!name.declarations.every(({ path }) => /\/lib\.[^/]*\.d\.ts$/.test(path))) return undefined;
  const owner = ownerOf(name, node);
  const shown = owner ? `${owner}.${name.name}` : name.name;
  // Where it is a member of several things at once, it has no one owner.
  const owners = owner ? [owner] : membersOf(checker, node);
  const names = owners.map((each) => [...members(each, name.name), ...(owner ? [] : globals(name.name))]);
  return { shown, names: owners.length ? names : [globals(name.name)] };
}

/** What it is a member of; undefined where that is nothing, or several things. */
function ownerOf(name: Name, node: Node): string | undefined {
  const told = name.getParent()?.name;
  // Of what stands at a constructor itself, TypeScript does not know the name.
  return told === "__type" && isPropertyAccessExpression(node.parent) ? node.parent.expression.getText() : told;
}

/** What an identifier stands for, which member it takes out of a thing, or which option of a function it sets. */
function nameOf(checker: Checker, node: Node): Name | undefined {
  const { parent } = node;
  const isOption = parent && isPropertyAssignment(parent) && parent.name === node;
  const object = isOption && isObjectLiteralExpression(parent.parent) ? parent.parent : undefined;
  const options = isBindingElement(parent)
    ? checker.getTypeAtLocation(parent.parent)
    : object && checker.getContextualType(object);
  if (!options) return checker.getSymbolAtLocation(node);
  return checker.getPropertyOfType(checker.getNonNullableType(options) ?? options, node.getText());
}

function membersOf(checker: Checker, node: Node): string[] {
  const access = node.parent && isPropertyAccessExpression(node.parent) ? node.parent : undefined;
  const type = access?.name === node && checker.getTypeAtLocation(access.expression);
  return type ? (type.getTypes() ?? []).map((each) => each.getSymbol()?.name ?? "").filter(Boolean) : [];
}

/** ObjectConstructor is what MDN calls Object; RequestInit goes into a Request. */
function members(owner: string, name: string): string[] {
  const plain = OWNERS[owner] ?? owner.replace(/(?<=.)(Constructor|Init)$/, "");
  const places = [`api.${plain}`, `javascript.builtins.${plain}`, ...INHERITED];
  return places.flatMap((place) => [`${place}.${name}`, `${place}.${name}_static`]);
}

function globals(name: string): string[] {
  return ["api", "api.Window", "javascript.builtins", ...INHERITED].map((place) => `${place}.${name}`);
}

/** What is wrong with it, if anything is. */
function faultsOf({ shown, names }: Use, targets: Targets): string[] {
  if (KNOWN.has(shown)) return [];
  return names.flatMap((each) => {
    const found = find(each);
    if (!found) return [`MDN's data do not know ${shown}: say in pixel/checks/browsers.mts what it is there`];
    const without = HAS_ANOTHER_WAY.has(found.name) ? [] : lacking(found.support, targets);
    return without.length ? [`${found.name} is missing in ${without.join(", ")}`] : [];
  });
}

function check(config: string, targets: Targets): Set<string> {
  const faults = new Set<string>();
  const api = new API();
  const [project] = api.updateSnapshot({ openProjects: [config] }).getProjects();
  let count = 0;
  for (const file of project?.rootFiles ?? []) {
    for (const node of running(project?.program.getSourceFile(file) as Node)) {
      const use = project && useOf(project.checker, node);
      if (!use) continue;
      count += 1;
      for (const fault of faultsOf(use, targets)) faults.add(`${relative(root, file)}: ${fault}.`);
    }
  }
  api.close();
  if (count < 200) faults.add(`Only ${count} names of the browser's were found: has TypeScript's interface changed?`);
  return faults;
}

const faults = check(process.argv[2] ?? `${root}pixel/tsconfig.json`, readTargets());
for (const fault of faults) console.warn(fault);
process.exitCode = faults.size ? 1 : 0;

// Compiles src/ with solc-js into artifacts/NAME.json, one a deployed contract. `--check` writes nothing and fails if a
// committed artifact does not come from the sources. Beside what solc gives, an artifact holds what the ABI leaves out
// and tools/make-contract-bindings needs: members of enums, EIP-712 types, storage layouts with their types.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import solc from 'solc'

const CONTRACTS = ['Directory', 'Folders', 'Records', 'Consent', 'Products', 'Medicines', 'Members']
const SIZE_MAX = 24576 // EIP-170
// A contract that hands what it does not know itself to another one's code, and the interface that both make up.
const PARTS = { Medicines: { code: 'src/medicines/MedicinePowers.sol:MedicinePowers', all: 'src/interfaces/IMedicines.sol:IMedicines' } }
const root = dirname(fileURLToPath(import.meta.url))
const settings = JSON.parse(readFileSync(join(root, 'solc-settings.json'), 'utf8'))

function sources(folder = 'src') {
  const found = {}
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = posix.join(folder, entry.name)
    if (entry.isDirectory()) Object.assign(found, sources(path))
    else if (path.endsWith('.sol')) found[path] = { content: readFileSync(join(root, path), 'utf8') }
  }
  return found
}

// Over every file that the contract is made of, and the settings.
function hashOf(all, used) {
  const hash = createHash('sha256').update(JSON.stringify(settings))
  for (const path of used.sort()) hash.update(path + '\0' + all[path].content + '\0')
  return '0x' + hash.digest('hex')
}

// The syntax trees of a contract and of what it inherits from.
function definitionsOf(output, name) {
  const definitions = Object.values(output.sources).flatMap(({ ast }) => ast.nodes)
    .filter(({ nodeType }) => nodeType === 'ContractDefinition')
  const contract = definitions.find((definition) => definition.name === name)
  return contract.linearizedBaseContracts.map((id) => definitions.find((definition) => definition.id === id))
}

function enumsOf(definitions) {
  const found = definitions.flatMap(({ nodes }) => nodes).filter(({ nodeType }) => nodeType === 'EnumDefinition')
  return Object.fromEntries(found.map(({ canonicalName, members }) => [canonicalName, members.map(({ name }) => name)]))
}

// The domain's name is what the contract's constructor gives to Eip712; types are the constants keccak256("Type(…)").
// null: the contract checks no typed signatures.
function typedDataOf(definitions) {
  const name = definitions.flatMap(({ nodes }) => nodes.filter(({ kind }) => kind === 'constructor'))
    .flatMap(({ modifiers }) => modifiers).find(({ modifierName }) => modifierName.name === 'Eip712')
  const types = definitions.flatMap(({ nodes }) => nodes)
    .filter(({ nodeType, constant }) => nodeType === 'VariableDeclaration' && constant)
    .filter(({ value }) => value.nodeType === 'FunctionCall' && value.expression.name === 'keccak256')
    .map(({ value }) => value.arguments[0].value)
    .filter((text) => /^[A-Z]\w*\(.*\)$/.test(text) && !text.startsWith('EIP712Domain('))
  return name ? { domain: name.arguments[0].value, types } : null
}

// What the sources call the keys of a mapping, from the outside in.
function keyNamesOf(typeName) {
  return typeName?.nodeType === 'Mapping' ? [typeName.keyName, ...keyNamesOf(typeName.valueType)] : []
}

// Types under their labels: solc's own names of them hold numbers that change with every edit.
function layoutOf({ storage, types }, definitions) {
  const label = (type) => types[type].label
  const variables = definitions.flatMap(({ nodes }) => nodes)
  const keys = (astId) => keyNamesOf(variables.find(({ id }) => id === astId).typeName)
  const place = ({ label: name, slot, offset, type }) =>
    ({ label: name, slot: Number(slot), offset, type: label(type) })
  const described = Object.values(types ?? {}).map((type) => [type.label, {
    encoding: type.encoding,
    bytes: Number(type.numberOfBytes),
    ...(type.key && { key: label(type.key), value: label(type.value) }),
    ...(type.base && { base: label(type.base) }),
    ...(type.members && { members: type.members.map(place) }),
  }])
  const placed = storage.map((one) => ({ ...place(one), keys: keys(one.astId) }))
  return { storage: placed, types: Object.fromEntries(described) }
}

function madeOf(output, place) {
  const [path, name] = place.split(':')
  return output.contracts[path][name]
}

// With the functions of a part, which must be all of the interface's.
function abiOf(output, name, { abi }) {
  if (!PARTS[name]) return abi
  const functions = (list) => list.filter(({ type }) => type === 'function')
  const merged = [...abi, ...functions(madeOf(output, PARTS[name].code).abi)].filter(({ type }) => type !== 'fallback')
  const names = (list) => functions(list).map((one) => one.name).sort().join()
  if (names(merged) !== names(madeOf(output, PARTS[name].all).abi)) throw new Error(`${name} is not its interface`)
  const order = (one) => `${one.type} ${one.name ?? ''}`
  return merged.sort((a, b) => (order(a) < order(b) ? -1 : 1))
}

const ASKED = ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object', 'metadata', 'storageLayout', 'userdoc']

function compile() {
  const all = sources()
  const input = {
    language: 'Solidity',
    sources: all,
    settings: { ...settings, outputSelection: { '*': { '*': ASKED, '': ['ast'] } } },
  }
  const output = JSON.parse(solc.compile(JSON.stringify(input)))
  const problems = output.errors ?? []
  for (const problem of problems) console.error(problem.formattedMessage)
  if (problems.length > 0) throw new Error('the sources do not compile cleanly')
  return CONTRACTS.map((name) => {
    const made = output.contracts[`src/${name}.sol`][name]
    const definitions = definitionsOf(output, name)
    const size = made.evm.deployedBytecode.object.length / 2
    if (size >= SIZE_MAX) throw new Error(`${name} has ${size} bytes; EIP-170 allows ${SIZE_MAX}`)
    return {
      name,
      size,
      artifact: {
        contractName: name,
        solc: solc.version(),
        sourceHash: hashOf(all, Object.keys(JSON.parse(made.metadata).sources)),
        abi: abiOf(output, name, made),
        bytecode: '0x' + made.evm.bytecode.object,
        deployedBytecode: '0x' + made.evm.deployedBytecode.object,
        enums: enumsOf(definitions),
        typedData: typedDataOf(definitions),
        storageLayout: layoutOf(made.storageLayout, definitions),
        userdoc: made.userdoc,
      },
    }
  })
}

const check = process.argv.includes('--check')
let stale = 0
mkdirSync(join(root, 'artifacts'), { recursive: true })
for (const { name, size, artifact } of compile()) {
  const path = join(root, 'artifacts', `${name}.json`)
  const text = JSON.stringify(artifact, null, 1) + '\n'
  if (!check) writeFileSync(path, text)
  else {
    let committed = ''
    try { committed = readFileSync(path, 'utf8') } catch { /* missing is stale */ }
    if (committed !== text) {
      console.error(`${name}: the artifact does not come from the sources; run: npm run build`)
      stale++
    }
  }
  console.log(`${name.padEnd(10)} ${size} bytes`)
}
process.exit(stale === 0 ? 0 : 1)

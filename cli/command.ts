// The commander command that all of ours are made of.
import { Command, type Option } from 'commander';
import type { Io } from './io.ts';

const off = new Set(['', '0', 'false', 'no', 'off']);

/** A command whose every flag can also be given in the environment, as `WSBENCH_<FLAG>`. */
export function newCommand(name: string, io: Pick<Io, 'env'>): Command {
  const command = new Command(name);
  const add = command.addOption.bind(command);
  // The variable must be known when the option is added. An empty one is none, and `WSBENCH_JSON=0` means no: commander
  // by itself would take any value of a flag without an argument for yes.
  command.addOption = (option) => {
    const variable = variableOf(option);
    const value = io.env[variable]?.trim();
    const given = value !== undefined && (takesValue(option) ? value !== '' : !off.has(value.toLowerCase()));
    return add(given ? option.env(variable) : option);
  };
  command.configureHelp({ optionDescription });
  return command;
}

const takesValue = (option: Option): boolean => option.required || option.optional;

function variableOf(option: Option): string {
  return `WSBENCH_${option.name().replaceAll('-', '_').toUpperCase()}`;
}

/** As commander's, without naming the variable beside each flag. */
function optionDescription(option: Option): string {
  const choices = option.argChoices ? [`one of ${option.argChoices.join(', ')}`] : [];
  const standard = typeof option.defaultValue === 'string' ? [`default ${option.defaultValue}`] : [];
  const extra = [...choices, ...standard].join('; ');
  return extra === '' ? option.description : `${option.description} (${extra})`;
}
